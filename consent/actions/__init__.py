"""Writes of consent: programs, records by import and keyword, opt-outs, seals."""

from consent.actions.imports import (
    complete_statement,
    grant_by_import,
    state_import,
    undo_statement,
    withdraw_records,
)
from consent.actions.inbound import ReplyDue, ReplyKind, obey_inbound
from consent.actions.opt_outs import (
    Wish,
    note_carrier_opt_out,
    opt_out,
    opt_out_ahead,
    opt_out_by_file,
    opt_out_by_link,
    opt_out_by_staff,
)
from consent.actions.programs import check_stop_word, create_program, remember_stop_word
from consent.actions.seals import check_ledger, mend_projection, seal_organization

__all__ = [
    "ReplyDue",
    "ReplyKind",
    "Wish",
    "check_ledger",
    "check_stop_word",
    "complete_statement",
    "create_program",
    "grant_by_import",
    "mend_projection",
    "note_carrier_opt_out",
    "obey_inbound",
    "opt_out",
    "opt_out_ahead",
    "opt_out_by_file",
    "opt_out_by_link",
    "opt_out_by_staff",
    "remember_stop_word",
    "seal_organization",
    "state_import",
    "undo_statement",
    "withdraw_records",
]
