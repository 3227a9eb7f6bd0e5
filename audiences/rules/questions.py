"""What can be asked of a person in a target group, and how: what the builder shows and the statement is made of."""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from audiences.rules.conditions import Condition, GroupRefused

MOST_DAYS = 36_500
EVENTS = {
    "texted": "Was texted",
    "delivered": "A text was delivered",
    "replied": "Wrote to you",
    "clicked": "Followed a link",
}
"""What happened to a person, and in which campaigns."""

IMPORT = "import"


class Kind(StrEnum):
    """What an answer is."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"
    YES_NO = "yes_no"
    STOPPED = "stopped"
    SET = "set"
    EVENT = "event"
    SINCE = "since"
    AREA = "area"


class Takes(StrEnum):
    """What is written beside a comparison."""

    NOTHING = "nothing"
    WORDS = "words"
    NUMBER = "number"
    TWO_NUMBERS = "two_numbers"
    DAY = "day"
    DAYS = "days"
    OPTIONS = "options"


@dataclass(frozen=True, slots=True)
class How:
    """A comparison in words; a "…" stands for what is written beside it."""

    words: str
    takes: Takes = Takes.NOTHING


_KNOWN = {"empty": How("is not known"), "filled": How("is known")}

HOWS: dict[Kind, dict[str, How]] = {
    Kind.TEXT: {
        "is": How("is", Takes.WORDS),
        "is_not": How("is not", Takes.WORDS),
        "contains": How("contains", Takes.WORDS),
        "lacks": How("does not contain", Takes.WORDS),
        "begins": How("begins with", Takes.WORDS),
        "one_of": How("is one of (parted by commas)", Takes.WORDS),
        **_KNOWN,
    },
    Kind.NUMBER: {
        "equals": How("is", Takes.NUMBER),
        "at_least": How("is at least", Takes.NUMBER),
        "at_most": How("is at most", Takes.NUMBER),
        "between": How("is between", Takes.TWO_NUMBERS),
        **_KNOWN,
    },
    Kind.DATE: {
        "on": How("is on", Takes.DAY),
        "before": How("is before", Takes.DAY),
        "after": How("is after", Takes.DAY),
        "past": How("was in the last … days", Takes.DAYS),
        "ahead": How("is in the next … days", Takes.DAYS),
        "yearly": How("comes round in the next … days (birthdays)", Takes.DAYS),
        **_KNOWN,
    },
    Kind.CHOICE: {"any_of": How("is any of", Takes.OPTIONS), "none_of": How("is none of", Takes.OPTIONS), **_KNOWN},
    Kind.YES_NO: {"yes": How("yes"), "no": How("no"), "empty": How("is not known")},
    Kind.STOPPED: {"yes": How("yes"), "no": How("no")},
    Kind.SET: {"any_of": How("any of", Takes.OPTIONS), "none_of": How("none of", Takes.OPTIONS)},
    Kind.EVENT: {
        "past": How("in the last … days", Takes.DAYS),
        "not_past": How("not in the last … days", Takes.DAYS),
        "ever": How("at any time"),
        "never": How("never"),
        "any_of": How("in any of these campaigns", Takes.OPTIONS),
        "none_of": How("in none of these campaigns", Takes.OPTIONS),
    },
    Kind.SINCE: {
        "past": How("in the last … days", Takes.DAYS),
        "older": How("more than … days ago", Takes.DAYS),
        "before": How("before", Takes.DAY),
        "after": How("after", Takes.DAY),
    },
    Kind.AREA: {
        "any_of": How("is one of (parted by commas)", Takes.WORDS),
        "none_of": How("is none of (parted by commas)", Takes.WORDS),
    },
}


@dataclass(frozen=True, slots=True)
class Question:
    """`key` is what a condition names; `options` are values and their words, where one chooses among some.

    None: ids that need not be looked up to be understood.
    """

    key: str
    label: str
    kind: Kind
    heading: str
    options: tuple[tuple[str, str], ...] | None = ()


def first_how(kind: Kind) -> str:
    """The comparison that is chosen before anybody chooses."""
    return next(iter(HOWS[kind]))


def asked(condition: Condition, question: Question) -> tuple[str, ...]:
    """The values of a condition, trimmed. Raises GroupRefused, with what to write, where they do not fit."""
    how = HOWS[question.kind].get(condition.how)
    if how is None:
        raise GroupRefused(f"{question.label}: choose how to compare it.")
    values = tuple(value.strip() for value in condition.values if value.strip())
    if how.takes is Takes.NOTHING:
        return ()
    if how.takes is Takes.OPTIONS:
        return _options(values, question)
    if how.takes is Takes.TWO_NUMBERS:
        low, high = (_number(value, question) for value in _exactly(values, 2, question, "two numbers"))
        if float(low) > float(high):
            raise GroupRefused(f"{question.label}: the first number is larger than the second.")
        return low, high
    wanted = {Takes.WORDS: "a value", Takes.NUMBER: "a number", Takes.DAY: "a day", Takes.DAYS: "a number of days"}
    (value,) = _exactly(values, 1, question, wanted[how.takes])
    if how.takes is Takes.NUMBER:
        return (_number(value, question),)
    if how.takes is Takes.DAY:
        return (_day(value, question),)
    if how.takes is Takes.DAYS:
        if not value.isascii() or not value.isdecimal() or not 1 <= int(value) <= MOST_DAYS:
            raise GroupRefused(f"{question.label}: write a number of days from 1 to {MOST_DAYS}.")
        return (value,)
    return _words(value, condition.how, question)


def words_of(condition: Condition, question: Question | None) -> str:
    """A condition as a person says it: "City is “Miami”"."""
    if question is None or condition.how not in HOWS[question.kind]:
        return "Something that is not there any more"
    how = HOWS[question.kind][condition.how]
    values = [value for value in condition.values if value.strip()]
    if how.takes is Takes.OPTIONS:
        names = dict(question.options or ())
        colon = ":" if question.kind in (Kind.SET, Kind.EVENT) else ""
        return f"{question.label}{colon} {how.words} {', '.join(names.get(value, value) for value in values)}"
    if how.takes is Takes.DAYS:
        return f"{question.label} {how.words.replace('…', values[0] if values else '…')}"
    if how.takes is Takes.WORDS:
        return f"{question.label} {how.words.partition(' (')[0]} “{', '.join(values)}”"
    if question.kind in (Kind.YES_NO, Kind.STOPPED):
        return f"{question.label}: {how.words}"
    return f"{question.label} {how.words} {' and '.join(values)}".strip()


def _exactly(values: tuple[str, ...], count: int, question: Question, what: str) -> tuple[str, ...]:
    if len(values) != count:
        raise GroupRefused(f"{question.label}: write {what}.")
    return values


def _words(value: str, how: str, question: Question) -> tuple[str, ...]:
    if question.kind is Kind.AREA:
        areas = tuple(part for part in re.split(r"[\s,;]+", value) if part)
        if not areas or not all(re.fullmatch(r"[2-9][0-9]{2}", area) for area in areas):
            raise GroupRefused(f"{question.label}: write area codes of three digits, such as 305, 786.")
        return areas
    if how != "one_of":
        return (value,)
    parts = tuple(part.strip() for part in value.split(",") if part.strip())
    if not parts:
        raise GroupRefused(f"{question.label}: write what it may be, parted by commas.")
    return parts


def _options(values: tuple[str, ...], question: Question) -> tuple[str, ...]:
    if not values:
        raise GroupRefused(f"{question.label}: choose at least one.")
    if question.options is None:
        known = all(value.isascii() and value.isdecimal() and len(value) < 19 for value in values)
    else:
        known = set(values) <= {value for value, _ in question.options}
    if not known:
        raise GroupRefused(f"{question.label}: something that was chosen is not there any more. Choose again.")
    return values


def _number(value: str, question: Question) -> str:
    plain = value.replace(",", "")
    if not re.fullmatch(r"[+-]?([0-9]{1,15}(\.[0-9]{0,6})?|\.[0-9]{1,6})", plain):
        raise GroupRefused(f"{question.label}: write a number such as 1250 or 12.50.")
    return plain


def _day(value: str, question: Question) -> str:
    try:
        day = date.fromisoformat(value)
    except ValueError as error:
        raise GroupRefused(f"{question.label}: write a day such as 2026-05-04.") from error
    if not 1800 <= day.year <= 2999:
        raise GroupRefused(f"{question.label}: write a year of four figures, such as 2026-05-04.")
    return day.isoformat()
