"""Lists: made by hand, filled from the table of contacts."""

from collections.abc import Sequence
from datetime import datetime

from accounts.actions import audit
from common.actor import Actor
from common.errors import DomainError
from common.sql import array_literal, run
from common.tenancy import current_organization_id
from contacts.models import ContactList, ListMember


class ListRefused(DomainError):
    code = "list_refused"


def list_named(name: str, *, now: datetime) -> ContactList:
    """The list of that name, made where there is none. Raises ListRefused for an empty name."""
    name = name.strip()
    if not name:
        raise ListRefused("Give the list a name, or choose one that is there.")
    found: ContactList
    found, _ = ContactList.objects.get_or_create(
        organization_id=current_organization_id(), name=name[:120], defaults={"created_at": now}
    )
    return found


def create_list(*, name: str, actor: Actor, now: datetime) -> ContactList:
    """Make a list. Raises ListRefused where there is one of that name already."""
    if ContactList.objects.filter(name=name.strip()).exists():
        raise ListRefused(f"There is a list “{name.strip()}” already. Choose another name, or use that one.")
    made = list_named(name, now=now)
    audit(action="list.created", subject=made, actor=actor, now=now, name=made.name)
    return made


def add_to_list(contact_list: ContactList, contact_ids: Sequence[int], *, actor: Actor, now: datetime) -> int:
    """Put contacts on a list; return how many were not on it before."""
    added = put_on_list(contact_list, contact_ids)
    audit(action="list.added_to", subject=contact_list, actor=actor, now=now, added=added)
    return added


def remove_from_list(contact_list: ContactList, contact_ids: Sequence[int], *, actor: Actor, now: datetime) -> int:
    """Take contacts off a list; they stay contacts. Returns how many were on it."""
    removed, _ = ListMember.objects.filter(contact_list=contact_list, contact_id__in=contact_ids).delete()
    audit(action="list.removed_from", subject=contact_list, actor=actor, now=now, removed=removed)
    return removed


def put_on_list(contact_list: ContactList, contact_ids: Sequence[int]) -> int:
    """The same as a part of larger work, which is noted as a whole."""
    values = {
        "organization": current_organization_id(),
        "list": contact_list.id,
        "contacts": array_literal(contact_ids),
    }
    return run(_PUT, values)


_PUT = """
INSERT INTO contacts_listmember (organization_id, contact_list_id, contact_id)
SELECT c.organization_id, %(list)s, c.id FROM contacts_contact c
WHERE c.organization_id = %(organization)s AND c.id = ANY(%(contacts)s::bigint[]) ORDER BY c.id
ON CONFLICT DO NOTHING
"""
