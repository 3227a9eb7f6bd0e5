"""An organization's own fields: what kind of value each holds, and how a value is read from what people write."""

import contextlib
import re
from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum

LONGEST_TEXT = 500


class FieldKind(StrEnum):
    """What a field of the organization's own holds."""

    TEXT = "TEXT"
    NUMBER = "NUMBER"
    DATE = "DATE"
    CHOICE = "CHOICE"
    YES_NO = "YES_NO"


KIND_LABELS: dict[FieldKind, str] = {
    FieldKind.TEXT: "text",
    FieldKind.NUMBER: "number",
    FieldKind.DATE: "date",
    FieldKind.CHOICE: "one of several choices",
    FieldKind.YES_NO: "yes or no",
}

_YES = frozenset(("yes", "y", "true", "1", "x", "on", "ja", "sí", "si", "oui"))
_NO = frozenset(("no", "n", "false", "0", "off", "nein", "non"))
_NUMBER = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?|[+-]?\.\d+")
_DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_MONTH_FIRST = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")


class UnreadableValue(ValueError):
    """Not a value of the field; the text says what is."""


def read_value(kind: FieldKind, text: str, *, choices: Sequence[str] = ()) -> str | int | float:
    """The value as it is kept: dates as `2026-05-04`, yes and no as those words. Raises UnreadableValue."""
    if kind is FieldKind.NUMBER:
        return _number(text)
    if kind is FieldKind.DATE:
        return _date(text)
    if kind is FieldKind.YES_NO:
        word = text.casefold()
        if word in _YES or word in _NO:
            return "yes" if word in _YES else "no"
        raise UnreadableValue("This field takes yes or no.")
    if kind is FieldKind.CHOICE:
        for choice in choices:
            if choice.casefold() == text.casefold():
                return choice
        raise UnreadableValue(f"This is none of the choices: {', '.join(choices)[:200]}.")
    if len(text) > LONGEST_TEXT:
        raise UnreadableValue(f"Longer than {LONGEST_TEXT} characters.")
    return text


def _number(text: str) -> int | float:
    plain = text.lstrip("$€£ ").strip()
    if not _NUMBER.fullmatch(plain) or len(plain) > 30:
        raise UnreadableValue("This field takes a number such as 1250 or 12.50.")
    plain = plain.replace(",", "")
    return float(plain) if "." in plain else int(plain)


def _date(text: str) -> str:
    day_first, month_first = _DAY_FIRST.fullmatch(text), _MONTH_FIRST.fullmatch(text)
    try:
        if day_first:
            return date(int(day_first[3]), int(day_first[2]), int(day_first[1])).isoformat()
        if month_first:
            return date(int(month_first[3]), int(month_first[1]), int(month_first[2])).isoformat()
        if len(text) > 10 and text[10] not in "T ":
            raise ValueError(text)
        if text.isdigit() and len(text) != len("20260504"):
            raise ValueError(text)  # seconds since 1970, and the like
        day = datetime.fromisoformat(text).date() if len(text) > 10 else date.fromisoformat(text)
        return day.isoformat()
    except ValueError as error:
        raise UnreadableValue("This field takes a date such as 2026-05-04 or 5/4/2026.") from error


_STOPPED = frozenset(("stop", "stopped", "optout", "optedout", "unsubscribe", "unsubscribed", "blocked", "out"))
_TIME = re.compile(r"^(\S+?)[T ]+\d{1,2}:\d\d.*$")
EARLIEST_YEAR = 1990
"""Nobody was texted before: such a day is a sign that nothing was known."""


def read_stop(text: str) -> bool | date | datetime:
    """What a cell says of whether and since when somebody wants no texts: no, yes, a day, or a moment.

    Raises UnreadableValue.
    """
    plain = "".join(filter(str.isalnum, text.casefold()))
    if not text or plain in _NO:
        return False
    if plain in _YES or plain in _STOPPED:
        return True
    return read_moment(text)


def read_moment(text: str) -> date | datetime:
    """A day, or a moment where the text names one in the way of ISO 8601. Raises UnreadableValue."""
    day = date.fromisoformat(str(read_value(FieldKind.DATE, _TIME.sub(r"\1", text))))
    if not EARLIEST_YEAR <= day.year <= 2999:
        raise UnreadableValue(f"This field takes a day since {EARLIEST_YEAR}, such as 2026-05-04.")
    if _TIME.fullmatch(text):
        with contextlib.suppress(ValueError):
            return datetime.fromisoformat(text)
    return day
