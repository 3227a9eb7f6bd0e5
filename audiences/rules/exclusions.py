"""Why someone in the audience is left out. The order is that of domain.md: the first that applies is the one told."""

from enum import StrEnum


class Reason(StrEnum):
    NO_PHONE = "no_phone"
    NOT_TEXTABLE = "not_textable"
    NO_NAMES = "no_names"
    OPTED_OUT = "opted_out"
    NO_CONSENT = "no_consent"
    MAYBE_STOP = "maybe_stop"
    OFTEN_ENOUGH = "often_enough"
    IN_OTHER_OUTREACH = "in_other_outreach"
    TOO_LONG = "too_long"
    MISSING_VALUE = "missing_value"
    NO_LAWFUL_HOUR = "no_lawful_hour"
    OUTSIDE_PERIOD = "outside_period"
    CHANGED = "changed"
    NOT_REACHED = "not_reached"


WORDS: dict[str, str] = {
    Reason.NO_PHONE: "no phone in the chosen field",
    Reason.NOT_TEXTABLE: "cannot receive texts (landline or dead number)",
    Reason.NO_NAMES: "their country takes no texts from a name",
    Reason.OPTED_OUT: "said STOP",
    Reason.NO_CONSENT: "did not agree to this kind of message",
    Reason.MAYBE_STOP: "may want to stop: read what they wrote",
    Reason.OFTEN_ENOUGH: "got as many texts of this program as one person may",
    Reason.IN_OTHER_OUTREACH: "already in this campaign",
    Reason.TOO_LONG: "text too long with their name in it",
    Reason.MISSING_VALUE: "a field of the text is empty",
    Reason.NO_LAWFUL_HOUR: "no lawful hour",
    Reason.OUTSIDE_PERIOD: "no sending hour before the end",
    Reason.CHANGED: "changed since the quote",
    Reason.NOT_REACHED: "the campaign ended before their turn",
    # At the last moment, in the claim:
    "duplicate": "got the same text a short while ago",
    "conversation_over": "has not written for 30 days",
    "no_credit": "no credits held",
    "not_asked": "did not ask for it, or not any more",
    "blocked": "their network blocks this number until they text START to it",
    "too_late": "the confirmation of a STOP would come too late",
}
