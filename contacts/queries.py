"""Reads of contacts."""

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from consent.models import OptOut
from contacts.models import Contact, ContactList, ContactPhone, Import


def import_by_id(import_id: int) -> Import:
    found: Import = Import.objects.select_related("file", "statement", "job", "error_file").get(id=import_id)
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


def contact_page(*, search: str = "", after_id: int = 0) -> ContactPage:
    """The next contacts whose name, company, e-mail or phone holds the words, in three queries."""
    found = Contact.objects.filter(id__gt=after_id)
    for word in search.split()[:5]:
        digits = "".join(filter(str.isdigit, word))
        matches = Q(first_name__icontains=word) | Q(last_name__icontains=word) | Q(company__icontains=word)
        matches |= Q(email__icontains=word)
        if len(digits) >= 3:
            matches |= Q(id__in=ContactPhone.objects.filter(phone__contains=digits).values("contact_id"))
        found = found.filter(matches)
    contacts = list(found.order_by("id")[: PAGE + 1])
    shown = contacts[:PAGE]
    phones: dict[int, list[str]] = {}
    for phone in ContactPhone.objects.filter(contact_id__in=[contact.id for contact in shown]).order_by("id"):
        phones.setdefault(phone.contact_id, []).append(phone.phone)
    known = [phone for several in phones.values() for phone in several]
    stopped = set(OptOut.objects.filter(phone__in=known, lifted_at=None).values_list("phone", flat=True))
    rows = tuple(
        ContactRow(contact, tuple(phones.get(contact.id, ())), not stopped.isdisjoint(phones.get(contact.id, ())))
        for contact in shown
    )
    return ContactPage(rows, shown[-1].id if len(contacts) > PAGE else None)


def newest_imports() -> QuerySet[Import]:
    return Import.objects.select_related("file", "job").order_by("-id")[:5]


def contact_lists() -> QuerySet[ContactList]:
    return ContactList.objects.order_by("name")
