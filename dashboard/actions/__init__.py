"""Writes across apps: organizations, people with their texts, evidence."""

from dashboard.actions.consent import ConsentNote, adjust_consent, erase_old_consent
from dashboard.actions.evidence import make_evidence_pack
from dashboard.actions.people import (
    UndoRefused,
    close_day,
    delete_target_group,
    merge_people,
    open_day,
    open_organization,
    opt_out_contact,
    request_undo,
    undo_import,
)

__all__ = [
    "ConsentNote",
    "UndoRefused",
    "adjust_consent",
    "close_day",
    "delete_target_group",
    "erase_old_consent",
    "make_evidence_pack",
    "merge_people",
    "open_day",
    "open_organization",
    "opt_out_contact",
    "request_undo",
    "undo_import",
]
