"""Reads of consent: what a phone may get, and the ledger that proves it."""

from consent.queries.ledger import Verdict, differences, last_check, links_to_export, packed_leaves, verify
from consent.queries.panel import (
    ConsentPanel,
    Proof,
    consent_panel,
    conversation_is_open,
    is_opted_out,
    medium_words,
    opted_out_among,
    program,
    programs,
    stop_words_of,
    stops_among,
)

__all__ = [
    "ConsentPanel",
    "Proof",
    "Verdict",
    "consent_panel",
    "conversation_is_open",
    "differences",
    "is_opted_out",
    "last_check",
    "links_to_export",
    "medium_words",
    "opted_out_among",
    "packed_leaves",
    "program",
    "programs",
    "stop_words_of",
    "stops_among",
    "verify",
]
