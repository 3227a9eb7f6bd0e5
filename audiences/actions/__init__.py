"""What is done to audiences; every name that other packages use stands here."""

from audiences.actions.bulk import request_listing, run_listing
from audiences.actions.exclusions import LeftOut, forget_exclusions, note_exclusions
from audiences.actions.groups import delete_group, save_group

__all__ = [
    "LeftOut",
    "delete_group",
    "forget_exclusions",
    "note_exclusions",
    "request_listing",
    "run_listing",
    "save_group",
]
