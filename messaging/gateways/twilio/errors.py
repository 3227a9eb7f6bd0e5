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
