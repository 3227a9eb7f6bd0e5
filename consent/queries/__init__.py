"""Reads of consent: what a phone may get, and the ledger that proves it."""

from consent.queries.differences import differences
from consent.queries.ledger import (
    SealProof,
    chain_head,
    last_check,
    links_to_export,
    packed_leaves,
    seal_proofs,
    sealed_form,
)
from consent.queries.panel import (
    ConsentPanel,
    Proof,
    consent_panel,
    conversation_is_open,
    has_stopped,
    is_opted_out,
    may_want_to_stop,
    medium_words,
    opted_out_among,
    possible_opt_outs,
    program,
    programs,
    stop_words_of,
    stops_among,
)
from consent.queries.register import newest_differences, newest_statements, register_page
from consent.queries.verdict import Verdict
from consent.queries.walk import verify

__all__ = [
    "ConsentPanel",
    "Proof",
    "SealProof",
    "Verdict",
    "chain_head",
    "consent_panel",
    "conversation_is_open",
    "differences",
    "has_stopped",
    "is_opted_out",
    "last_check",
    "links_to_export",
    "may_want_to_stop",
    "medium_words",
    "newest_differences",
    "newest_statements",
    "opted_out_among",
    "packed_leaves",
    "possible_opt_outs",
    "program",
    "programs",
    "register_page",
    "seal_proofs",
    "sealed_form",
    "stop_words_of",
    "stops_among",
    "verify",
]
