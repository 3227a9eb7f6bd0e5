"""Contacts as such."""

from collections.abc import Sequence

from common.sql import array_literal, run
from common.tenancy import current_organization_id


def delete_contacts(contact_ids: Sequence[int]) -> int:
    """Take people out for good, with phones and lists; return how many were there.

    What proves their consent, and that they said stop, goes by the phone and stays.
    """
    values = {"organization": current_organization_id(), "contacts": array_literal(contact_ids)}
    deleted = 0
    for table, column in _OF_CONTACT:
        deleted = run(
            f"DELETE FROM {table} WHERE organization_id = %(organization)s AND {column} = ANY(%(contacts)s::bigint[])",
            values,
        )
    return deleted


_OF_CONTACT = (
    ("contacts_listmember", "contact_id"),
    ("contacts_contactsearch", "contact_id"),
    ("contacts_importedcontact", "contact_id"),
    ("contacts_contactphone", "contact_id"),
    ("contacts_contact", "id"),  # last: its count is the answer
)
