"""Reads of messages: what dispatchers serve, how far sources have come, short links, gauges."""

from messaging.queries.dispatch import DueStream, Outage, due_streams, held_for, outages
from messaging.queries.gauges import gauges
from messaging.queries.links import CLICKERS, clickers_of, link_base, links_of
from messaging.queries.progress import (
    RECIPIENTS,
    OutcomeCounts,
    Recipient,
    Speed,
    Trouble,
    outcome_counts,
    outcome_counts_of,
    recipients_of,
    speed_of,
    texted_among,
    troubles_of,
)

__all__ = [
    "CLICKERS",
    "RECIPIENTS",
    "DueStream",
    "Outage",
    "OutcomeCounts",
    "Recipient",
    "Speed",
    "Trouble",
    "clickers_of",
    "due_streams",
    "gauges",
    "held_for",
    "link_base",
    "links_of",
    "outages",
    "outcome_counts",
    "outcome_counts_of",
    "recipients_of",
    "speed_of",
    "texted_among",
    "troubles_of",
]
