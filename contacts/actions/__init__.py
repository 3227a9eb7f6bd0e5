"""Writes of contacts."""

from contacts.actions.imports import ImportRefused, fail_import, keep_upload, request_import, revive_imports, run_import
from contacts.actions.lists import ListRefused, add_to_list, create_list, list_named, remove_from_list

__all__ = [
    "ImportRefused",
    "ListRefused",
    "add_to_list",
    "create_list",
    "fail_import",
    "keep_upload",
    "list_named",
    "remove_from_list",
    "request_import",
    "revive_imports",
    "run_import",
]
