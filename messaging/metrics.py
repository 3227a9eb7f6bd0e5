"""What is counted of messages on their way; GET /metrics shows it.

Counted as it is written: a batch that has to be written again counts twice. Exact counts are those of progress.
"""

from common.metrics import Counter, Histogram

MOVED = Counter("carillon_messages", "Messages by the state that news moved them to", ("state",))
LEFT_OUT = Counter("carillon_messages_left_out", "Messages skipped at the last check before leaving", ("reason",))
HANDOVERS = Counter("carillon_handovers", "Attempts to hand a message over by what came of it", ("gateway", "outcome"))
ERRORS = Counter("carillon_carrier_errors", "Error codes of answers and receipts", ("code",))
CARRIER_SECONDS = Histogram(
    "carillon_carrier_seconds",
    "From the hand-over to the carrier's answer",
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
    ("gateway",),
)
PERMIT_SECONDS = Histogram(
    "carillon_permit_wait_seconds", "From the claim to the slot that was reserved", (0.01, 0.025, 0.05, 0.1, 0.2, 0.3)
)

FAMILIES = (MOVED, LEFT_OUT, HANDOVERS, ERRORS, CARRIER_SECONDS, PERMIT_SECONDS)
"""All of them."""
