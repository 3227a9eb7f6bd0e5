"""Cells of the table of contacts."""

from django import template

from common.phones import for_people
from common.templatetags.frame import when
from contacts.queries import ContactRow
from content.rules.rendering import CUSTOM

register = template.Library()


@register.filter
def cell(row: ContactRow, column: str) -> str:
    """What a contact's row shows in a column (contacts.rules.table)."""
    if column == "phones":
        return ", ".join(for_people(phone) for phone in row.phones)
    if column == "created_at":
        return str(when(row.contact.created_at))
    if column.startswith(CUSTOM):
        return str(row.contact.custom.get(column.removeprefix(CUSTOM), ""))
    return str(getattr(row.contact, column, ""))
