"""Who does something: handed to every action, kept in the audit log and on records."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """A person (`user_id`) or the product itself (no id); `label` is what people read."""

    label: str
    user_id: int | None = None


SYSTEM = Actor(label="Carillon")
