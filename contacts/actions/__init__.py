"""Writes of contacts."""

from contacts.actions.exports import request_export, run_export
from contacts.actions.fields import FieldRefused, change_field, create_field
from contacts.actions.imports import (
    FormerWish,
    ImportRefused,
    ImportWish,
    cancel_import,
    fail_import,
    keep_upload,
    request_former,
    request_import,
    run_import,
)
from contacts.actions.lists import (
    ListRefused,
    add_to_list,
    create_list,
    list_named,
    put_on_list,
    remove_from_list,
)
from contacts.actions.people import (
    ContactContent,
    ContactRefused,
    clear_phone,
    create_contact,
    delete_contact,
    delete_contacts,
    forget_apart,
    merge_contacts,
    save_contact,
)
from contacts.actions.search import fill_search, find_anew

__all__ = [
    "ContactContent",
    "ContactRefused",
    "FieldRefused",
    "FormerWish",
    "ImportRefused",
    "ImportWish",
    "ListRefused",
    "add_to_list",
    "cancel_import",
    "change_field",
    "clear_phone",
    "create_contact",
    "create_field",
    "create_list",
    "delete_contact",
    "delete_contacts",
    "fail_import",
    "fill_search",
    "find_anew",
    "forget_apart",
    "keep_upload",
    "list_named",
    "merge_contacts",
    "put_on_list",
    "remove_from_list",
    "request_export",
    "request_former",
    "request_import",
    "run_export",
    "run_import",
    "save_contact",
]
