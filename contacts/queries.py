"""Reads of contacts."""

from django.db.models import QuerySet

from contacts.models import Contact, ContactList, Import


def import_by_id(import_id: int) -> Import:
    found: Import = Import.objects.select_related("file", "statement", "job", "error_file").get(id=import_id)
    return found


def list_named(name: str) -> ContactList | None:
    found: ContactList | None = ContactList.objects.filter(name=name).first()
    return found


def contacts() -> QuerySet[Contact]:
    return Contact.objects.order_by("id")
