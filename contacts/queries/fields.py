"""The organization's own fields, and what tags say of a person."""

from django.db.models import QuerySet

from contacts.models import Contact, CustomField
from contacts.rules.fields import FieldKind
from contacts.rules.people import OwnField
from content.rules.rendering import CUSTOM, TAGS


def custom_fields() -> QuerySet[CustomField]:
    """The organization's own fields, by name."""
    return CustomField.objects.order_by("name", "id")


def custom_field_keys() -> frozenset[str]:
    """The keys of the organization's own fields: what tags can name as `custom.key`."""
    return frozenset(CustomField.objects.values_list("key", flat=True))


def own_fields() -> dict[str, OwnField]:
    """The organization's own fields by key, as reading needs them."""
    return {row.key: OwnField(row.key, FieldKind(row.kind), tuple(row.choices)) for row in custom_fields()}


def tag_values(contact: Contact | None, phone: str) -> dict[str, str]:
    """What tags say of one person."""
    if contact is None:
        return {"phone": phone}
    found = {name: getattr(contact, name) for name in TAGS if hasattr(contact, name)}
    found |= {f"{CUSTOM}{key}": str(value) for key, value in contact.custom.items()}
    return found | {"phone": phone}
