"""The organization's own fields."""

import re
from collections.abc import Sequence
from datetime import datetime

from accounts.actions import audit
from common.actor import Actor
from common.errors import DomainError
from common.tenancy import current_organization_id
from contacts.models import CustomField
from contacts.rules.fields import LONGEST_TEXT, FieldKind

MOST_FIELDS = 200


class FieldRefused(DomainError):
    code = "field_refused"


def create_field(name: str, kind: FieldKind, *, now: datetime, choices: Sequence[str] = ()) -> CustomField:
    """A field that texts name as `custom.key`; the one of that name where there is one. Raises FieldRefused."""
    name = " ".join(name.replace("\x00", "").split())[:80]
    if not name:
        raise FieldRefused("Give the field a name.")
    chosen = _chosen(choices) if kind is FieldKind.CHOICE else []
    known: CustomField | None = CustomField.objects.filter(name__iexact=name).first()
    if known is not None:
        if known.kind != kind:
            raise FieldRefused(
                f"There is a field “{known.name}” already, which holds {known.get_kind_display()}. "
                "Use it, or choose another name."
            )
        return known
    taken = set(CustomField.objects.values_list("key", flat=True))
    if len(taken) >= MOST_FIELDS:
        raise FieldRefused(f"There are {MOST_FIELDS} fields already. Put this column into one of them.")
    base = re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")[:36] or "field"
    key = next(key for key in (base, *(f"{base}_{number}" for number in range(2, 1000))) if key not in taken)
    made: CustomField = CustomField.objects.create(
        organization_id=current_organization_id(), key=key, name=name, kind=kind, choices=chosen, created_at=now
    )
    return made


def change_field(field_id: int, *, name: str, choices: Sequence[str] = (), actor: Actor, now: datetime) -> CustomField:
    """Rename a field, or change what it may hold; the tag in texts stays. Raises FieldRefused.

    A choice that is taken away stays with the people who have it.
    """
    row: CustomField = CustomField.objects.select_for_update(no_key=True).get(id=field_id)
    name = " ".join(name.replace("\x00", "").split())[:80]
    if not name:
        raise FieldRefused("Give the field a name.", field="name")
    if CustomField.objects.filter(name__iexact=name).exclude(id=field_id).exists():
        raise FieldRefused(f"There is a field “{name}” already. Choose another name.", field="name")
    if row.kind == FieldKind.CHOICE:
        row.choices = _chosen(choices)
    row.name = name
    row.save(update_fields=["name", "choices"])
    audit(action="field.changed", subject=row, actor=actor, now=now, name=name)
    return row


def _chosen(choices: Sequence[str]) -> list[str]:
    """Each once, without blanks. Raises FieldRefused where they leave no choice."""
    chosen = [choice[:LONGEST_TEXT] for choice in dict.fromkeys(" ".join(one.split()) for one in choices) if choice]
    if len(chosen) < 2:
        raise FieldRefused("Name at least two choices, each on a line of its own.", field="choices_text")
    return chosen
