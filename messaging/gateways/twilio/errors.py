"""Twilio's error codes and what each asks for: 2xxxx in the answer, 3xxxx in a receipt."""

from messaging.gateways.base import ErrorKind

KINDS: dict[int, ErrorKind] = {
    20003: ErrorKind.LATER,  # credentials: nothing is wrong with the text
    20429: ErrorKind.LATER,  # too many requests at once
    21211: ErrorKind.PERMANENT,  # invalid To
    21212: ErrorKind.PERMANENT,  # invalid From
    21266: ErrorKind.PERMANENT,  # To is From
    21408: ErrorKind.PERMANENT,  # no permission for that country
    21602: ErrorKind.PERMANENT,  # no body
    21606: ErrorKind.PERMANENT,  # From is not ours
    21608: ErrorKind.PERMANENT,  # trial account
    21610: ErrorKind.OPT_OUT,
    21611: ErrorKind.LATER,  # the number's queue at the carrier is full
    21612: ErrorKind.PERMANENT,  # cannot route
    21614: ErrorKind.NOT_TEXTABLE,  # not a mobile
    21617: ErrorKind.PERMANENT,  # body too long
    21635: ErrorKind.NOT_TEXTABLE,  # landline
    30001: ErrorKind.LATER,
    30002: ErrorKind.NUMBER_BLOCKED,  # account suspended
    30003: ErrorKind.PERMANENT,  # unreachable handset
    30004: ErrorKind.PERMANENT,  # blocked
    30005: ErrorKind.NOT_TEXTABLE,  # unknown handset
    30006: ErrorKind.NOT_TEXTABLE,  # landline or unreachable carrier
    30007: ErrorKind.NUMBER_BLOCKED,  # filtered
    30008: ErrorKind.UNKNOWN,
    30017: ErrorKind.LATER,
    30032: ErrorKind.REGISTRATION,
    30034: ErrorKind.REGISTRATION,
    30036: ErrorKind.PERMANENT,  # validity expired
    30410: ErrorKind.PERMANENT,
    30450: ErrorKind.NUMBER_BLOCKED,
    30630: ErrorKind.OPT_OUT,
}


def kind_of(code: int | None) -> ErrorKind:
    return KINDS.get(code or 0, ErrorKind.UNKNOWN)


WORDS: dict[int, tuple[str, str]] = {
    21211: ("Not a phone number", "Correct the number on the contact."),
    21408: ("A country that your account may not text", "Ask our staff to open that country."),
    21610: ("Blocked by the person at the carrier", "Recorded as an opt-out with proof."),
    21612: ("The carrier has no way to this number", "Ask these people for another number."),
    21614: ("Not a mobile number", "Ask these people for a mobile number; left out next time."),
    21635: ("Landline", "Ask these people for a mobile number; left out next time."),
    30003: ("Phone switched off or out of reach", "Nothing to do: try again with the next campaign."),
    30004: ("Blocked by the person or the carrier", "Do not text these people again unless they write to you."),
    30005: ("Number no longer in service", "Marked as not textable; left out next time."),
    30006: ("Landline, or a carrier that takes no texts", "Ask these people for a mobile number."),
    30007: ("Filtered by the carrier as unwanted", "Look at the words: say who you are, avoid public link shorteners."),
    30008: ("The carrier gives no reason", "Nothing to do: try again with the next campaign."),
    30032: ("The number is not verified at the carrier", "Open Numbers and look at its registration."),
    30034: ("The number is not registered at the carrier", "Open Numbers and look at its registration."),
    30036: ("Too late: it waited longer than it was valid", "Send them a new campaign."),
    30630: ("Unsubscribed at the carrier", "Recorded as an opt-out with proof."),
}
"""What a code means to a business, and what was or can be done. Others are shown with their number alone."""


def words_for(code: int | None) -> tuple[str, str]:
    return WORDS.get(code or 0, ("Refused by the carrier", "Ask our staff, naming the code."))
