"""People and their lists."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, QuerySet

from consent.queries import opted_out_among
from contacts.models import Contact, ContactList, ContactPhone, ImportedPerson, ListMember, PhoneLabel
from contacts.queries.search import found_ids, patterns_of


def contact_names(contact_ids: Sequence[int]) -> dict[int, str]:
    """What people are called, by id: contacts, and (negative ids) people of a file who became none."""
    found = {contact.id: str(contact) for contact in Contact.objects.filter(id__in=contact_ids)}
    if apart := [-one for one in contact_ids if one < 0]:
        found |= {-row.id: str(row) for row in ImportedPerson.objects.filter(id__in=apart)}
    return found


PAGE = 50


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A line of the list: the person with phones and whether they said stop."""

    contact: Contact
    phones: tuple[str, ...]
    opted_out: bool


@dataclass(frozen=True, slots=True)
class ContactPage:
    """`next_after` is the id that the next page begins after; None: there is none."""

    rows: tuple[ContactRow, ...]
    next_after: int | None


def contact_page(*, search: str = "", after_id: int = 0, list_id: int | None = None) -> ContactPage:
    """The next contacts, of one list or all, whose name, company, e-mail or phone holds the words."""
    ids = contact_ids_after(after_id, PAGE + 1, search=search, list_id=list_id)
    contacts = list(Contact.objects.filter(id__in=ids).order_by("id"))
    return ContactPage(_rows_of(contacts[:PAGE]), contacts[PAGE - 1].id if len(contacts) > PAGE else None)


def contact_rows(contact_ids: Sequence[int]) -> tuple[ContactRow, ...]:
    """Given contacts in the order of their ids; those who are gone are missing."""
    return _rows_of(list(Contact.objects.filter(id__in=contact_ids).order_by("id")))


def _rows_of(shown: Sequence[Contact]) -> tuple[ContactRow, ...]:
    phones: dict[int, list[str]] = {}
    for phone in ContactPhone.objects.filter(contact_id__in=[contact.id for contact in shown]).order_by("id"):
        phones.setdefault(phone.contact_id, []).append(phone.phone)
    known = [phone for several in phones.values() for phone in several]
    stopped = opted_out_among(known)
    return tuple(
        ContactRow(contact, tuple(phones.get(contact.id, ())), not stopped.isdisjoint(phones.get(contact.id, ())))
        for contact in shown
    )


def contact_ids_after(after_id: int, limit: int, *, search: str = "", list_id: int | None = None) -> list[int]:
    """The next contacts in the order of their ids, of one list or all, whom the words find."""
    if patterns := patterns_of(search):
        return found_ids(patterns, after_id=after_id, limit=limit, list_id=list_id)
    if list_id is not None:
        members = ListMember.objects.filter(contact_list_id=list_id, contact_id__gt=after_id)
        return list(members.order_by("contact_id").values_list("contact_id", flat=True)[:limit])
    return list(Contact.objects.filter(id__gt=after_id).order_by("id").values_list("id", flat=True)[:limit])


def contacts_of(phones: Sequence[str]) -> dict[str, Contact]:
    """Whose phones these are; a phone of nobody is missing."""
    found = ContactPhone.objects.filter(phone__in=phones).select_related("contact")
    return {row.phone: row.contact for row in found}


ALIKE = 10


def alike(contact: Contact, *, search: str = "") -> list[ContactRow]:
    """Who may be the same person: of the same e-mail or name, or whom the words find."""
    wanted = [search] if search else [contact.email, f"{contact.first_name} {contact.last_name}".strip()]
    ids = dict.fromkeys(
        one
        for words in wanted
        if (patterns := patterns_of(words))
        for one in found_ids(patterns, after_id=0, limit=ALIKE + 1)
        if one != contact.id
    )
    return list(contact_rows(list(ids)[:ALIKE]))


def phones_of(contact: Contact) -> list[ContactPhone]:
    """The phones of a person, the one that is texted first."""
    order = list(PhoneLabel.values)
    return sorted(ContactPhone.objects.filter(contact=contact), key=lambda row: (order.index(row.label), row.id))


def contact_lists() -> QuerySet[ContactList]:
    return ContactList.objects.order_by("name")


def free_list_name(name: str) -> str:
    """The name, with a number behind it where a list has it already."""
    known = set(ContactList.objects.filter(name__startswith=name[:100]).values_list("name", flat=True))
    numbered = (f"{name[:100]} ({number})" for number in range(2, len(known) + 3))
    return next(one for one in (name[:110], *numbered) if one not in known)


def lists_of(contact: Contact) -> QuerySet[ContactList]:
    return ContactList.objects.filter(id__in=ListMember.objects.filter(contact=contact).values("contact_list_id"))


def list_size(list_id: int) -> int:
    """How many contacts are on a list."""
    return ListMember.objects.filter(contact_list_id=list_id).count()


def list_sizes() -> dict[int, int]:
    """How many contacts are on each list, by its id; an empty list is missing."""
    return dict(ListMember.objects.values_list("contact_list_id").annotate(Count("id")))
