"""Contacts as such: made and changed by hand, deleted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import IntegrityError, transaction

from accounts.actions import audit
from accounts.queries import current_organization
from common.actor import Actor
from common.errors import DomainError
from common.phones import InvalidPhone, to_e164
from common.sql import array_literal, run
from common.tenancy import current_organization_id
from contacts.actions.search import find_anew
from contacts.models import Contact, ContactPhone, ImportedPerson, PhoneLabel
from contacts.queries import contacts_of, own_fields, phones_of
from contacts.rules.fields import UnreadableValue, read_value
from contacts.rules.people import COLUMNS, LENGTHS, zone_named

MOST_PHONES = 10


class ContactRefused(DomainError):
    """Not as it is. `facts["field"]` names what to change: a column, `phone_n` or `custom_key`."""

    code = "contact_refused"


@dataclass(frozen=True, slots=True)
class ContactContent:
    """A contact as a person writes it: `values` by COLUMNS, `phones` as (label, number), `custom` by key."""

    values: Mapping[str, str]
    phones: Sequence[tuple[str, str]] = ()
    custom: Mapping[str, str] = field(default_factory=dict)


def create_contact(content: ContactContent, *, actor: Actor, now: datetime) -> Contact:
    """Make a contact, who has agreed to nothing yet. Raises ContactRefused."""
    contact = Contact(organization_id=current_organization_id(), created_at=now)
    _write(contact, content, now)
    audit(action="contact.created", subject=contact, actor=actor, now=now)
    return contact


def save_contact(contact_id: int, content: ContactContent, *, actor: Actor, now: datetime) -> Contact:
    """Change a contact. Consent and opt-outs go by the phone: they stay with it. Raises ContactRefused."""
    contact: Contact = Contact.objects.select_for_update(no_key=True).get(id=contact_id)
    _write(contact, content, now)
    audit(action="contact.changed", subject=contact, actor=actor, now=now)
    return contact


def delete_contact(contact_id: int, *, actor: Actor, now: datetime) -> None:
    """Forget a person, as the law lets them ask for (GDPR, CCPA). Proof of consent and opt-outs stay by the phone."""
    contact: Contact = Contact.objects.select_for_update(no_key=True).get(id=contact_id)
    audit(action="contact.deleted", subject=contact, actor=actor, now=now)
    ImportedPerson.objects.filter(phone__in=[row.phone for row in phones_of(contact)]).delete()
    delete_contacts([contact_id])


def merge_contacts(kept_id: int, other_id: int, *, actor: Actor, now: datetime) -> Contact:
    """Make one person of two: the kept one gets the other's phones and lists, and what it does not know itself.

    Consent, opt-outs and what happened go by the phone: they come along. Raises ContactRefused.
    """
    if kept_id == other_id:
        raise ContactRefused("This is the same contact. Choose another one.")
    locked = Contact.objects.select_for_update().filter(id__in=[kept_id, other_id]).order_by("id")
    both = {row.id: row for row in locked}
    if len(both) < 2:
        raise ContactRefused("One of the two is not there any more.")
    kept, other = both[kept_id], both[other_id]
    if ContactPhone.objects.filter(contact_id__in=both).count() > MOST_PHONES:
        raise ContactRefused(f"Together they would have more than {MOST_PHONES} phones. Remove some first.")
    for column in COLUMNS:
        setattr(kept, column, getattr(kept, column) or getattr(other, column))
    kept.custom = {**other.custom, **kept.custom}
    kept.created_at, kept.updated_at = min(kept.created_at, other.created_at), now
    kept.save()
    values = {"organization": current_organization_id(), "kept": kept_id, "other": other_id}
    for statement in _MERGE:
        run(statement, values)
    delete_contacts([other_id])
    find_anew([kept_id])
    audit(action="contact.merged", subject=kept, actor=actor, now=now, other=other_id, name=str(other))
    return kept


_MERGE = (
    # The phone that the kept contact is texted on stays that one.
    """UPDATE contacts_contactphone p SET contact_id = %(kept)s, label = CASE WHEN EXISTS (
        SELECT 1 FROM contacts_contactphone k
        WHERE k.organization_id = p.organization_id AND k.contact_id = %(kept)s AND k.label = p.label)
        THEN 'OTHER' ELSE p.label END
    WHERE p.organization_id = %(organization)s AND p.contact_id = %(other)s""",
    """INSERT INTO contacts_listmember (organization_id, contact_list_id, contact_id)
    SELECT organization_id, contact_list_id, %(kept)s FROM contacts_listmember
    WHERE organization_id = %(organization)s AND contact_id = %(other)s
    ON CONFLICT DO NOTHING""",
    # Undoing an import takes neither of them out: who they are was said by more than that file.
    """UPDATE contacts_importedcontact SET contact_id = %(kept)s, created = false
    WHERE organization_id = %(organization)s AND contact_id IN (%(kept)s, %(other)s)""",
)


def clear_phone(phone_id: int, *, actor: Actor, now: datetime) -> ContactPhone:
    """A person says that a phone can be texted after all, which the carrier had called a landline or dead."""
    row: ContactPhone = ContactPhone.objects.select_related("contact").get(id=phone_id)
    if not row.textable:
        row.textable = True
        row.save(update_fields=["textable"])
        audit(action="phone.cleared", subject=row.contact, actor=actor, now=now, phone=row.phone)
    return row


def forget_apart(import_id: int) -> int:
    """Drop the people of a file who became no contacts; how many that were."""
    removed, _ = ImportedPerson.objects.filter(import_id=import_id).delete()
    return removed


def delete_contacts(contact_ids: Sequence[int]) -> int:
    """Take people out for good, with phones and lists; return how many were there.

    What proves their consent, and that they said stop, goes by the phone and stays.
    """
    values = {"organization": current_organization_id(), "contacts": array_literal(contact_ids)}
    deleted = {}
    for table, column in _OF_CONTACT:
        deleted[table] = run(
            f"DELETE FROM {table} WHERE organization_id = %(organization)s AND {column} = ANY(%(contacts)s::bigint[])",
            values,
        )
    return deleted["contacts_contact"]


_OF_CONTACT = (
    ("contacts_listmember", "contact_id"),
    ("contacts_importedcontact", "contact_id"),
    ("contacts_contactphone", "contact_id"),
    ("contacts_contact", "id"),
    ("contacts_contactsearch", "contact_id"),  # last: who fills it holds the contact
)


def _write(contact: Contact, content: ContactContent, now: datetime) -> None:
    for column in COLUMNS:
        text = content.values.get(column, "").strip()
        most = LENGTHS.get(column)
        if most is not None and len(text) > most:
            raise ContactRefused(f"At most {most} characters.", field=column)
        setattr(contact, column, text)
    if contact.time_zone:
        zone = zone_named(contact.time_zone)
        if zone is None:
            raise ContactRefused("This is not a time zone such as America/New_York.", field="time_zone")
        contact.time_zone = zone
    contact.custom = _custom(contact.custom, content.custom)
    phones = _phones(contact, content.phones)
    if not (phones or contact.first_name or contact.last_name or contact.company):
        raise ContactRefused("Give a name or a phone: nobody could be told apart without.")
    contact.updated_at = now
    try:
        with transaction.atomic():
            contact.save()
            known = {row.phone: row for row in phones_of(contact)}
            ContactPhone.objects.filter(id__in=[row.id for phone, row in known.items() if phone not in phones]).delete()
            for phone, label in phones.items():
                row = known.get(phone) or ContactPhone(
                    organization_id=contact.organization_id, contact=contact, phone=phone
                )
                row.label = label
                row.save()
    except IntegrityError as error:  # taken in this very moment
        raise ContactRefused("One of these phones belongs to somebody else by now. Save once more.") from error
    find_anew([contact.id])


def _phones(contact: Contact, given: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The phones as E.164 with their labels. Raises ContactRefused."""
    country = contact.country or current_organization().default_country
    found: dict[str, str] = {}
    for place, (label, text) in enumerate(given):
        if not text.strip():
            continue
        try:
            phone = to_e164(text, country=country)
        except InvalidPhone as error:
            raise ContactRefused(str(error), field=f"phone_{place}") from error
        if phone in found:
            raise ContactRefused("This phone stands here twice.", field=f"phone_{place}")
        owner = contacts_of([phone]).get(phone)
        if owner is not None and owner.id != contact.id:
            raise ContactRefused(f"This phone belongs to {owner}. Take it away there first.", field=f"phone_{place}")
        found[phone] = PhoneLabel(label).value
    if len(found) > max(MOST_PHONES, len(given) - 1):
        raise ContactRefused(f"At most {MOST_PHONES} phones.")
    return found


def _custom(before: Mapping[str, object], given: Mapping[str, str]) -> dict[str, object]:
    """What the organization's own fields hold; one that is not given stays. Raises ContactRefused."""
    known, found = own_fields(), dict(before)
    for key, text in given.items():
        own = known.get(key)
        if own is None:
            continue
        if not text.strip():
            found.pop(key, None)
            continue
        if text.strip() == str(found.get(key)):  # as it was, also where it could not be chosen any more
            continue
        try:
            found[key] = read_value(own.kind, text.strip(), choices=own.choices)
        except UnreadableValue as error:
            raise ContactRefused(str(error), field=f"custom_{key}") from error
    return found
