"""What a person reads when a campaign was held by itself, or waits for the carrier."""

HELD_WORDS = {
    "NUMBER_BLOCKED": (
        "The carriers filter or block texts from {number}. Look at the words and links of your text, or ask our staff; "
        "then resume it, or cancel the rest."
    ),
    "REGISTRATION": (
        "The carrier refuses texts from {number} as not registered. Look at it under Numbers, or ask our staff; "
        "resume it once that is in order."
    ),
}
"""By the kind of error that came too often."""

OUTAGE_WORDS = {
    "NO_CONNECTION": "it cannot be reached",
    "NOT_PROCESSED": "it takes no more texts at the moment",
    "NOT_LET_IN": "it refuses our account, and our staff are looking",
    "REFUSED": "it takes no more texts at the moment",
    "UNKNOWN": "it does not answer",
    "NOT_WRITTEN": "it does not answer",
}
"""By what hand-overs come to."""
