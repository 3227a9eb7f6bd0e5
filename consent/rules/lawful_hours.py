"""Hours in which promotional texts are lawful, by state: data with source and date (hours.toml), the recipient's own.

Where published tables disagree, the stricter value stands. Not legal advice.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from consent.rules.law import Provenance, Unsourced, provenance, read

Minutes = int
Weekly = tuple[tuple[Minutes, Minutes] | None, ...]
"""Seven rows, Monday first: minutes after midnight of opening and closing (24:00 is 1440), or None for closed."""

DAY = 24 * 60
ALWAYS: Weekly = ((0, DAY),) * 7
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class HoursRule:
    """`states` are USPS codes; none: the federal rule. `reviewed_on` is when somebody last looked at its source."""

    states: frozenset[str]
    weekly: Weekly
    provenance: Provenance
    reviewed_on: date

    def name_in(self, state: str) -> str:
        """The rule as an explanation names it: `FL-2021-07` since when it counts, `CT as reviewed in 2026-04`.

        The latter where published tables tell the hours without the day of the law: then the day of the review stands
        for it, and is not passed off as the law's.
        """
        place, known = state if state in self.states else "US", self.provenance.effective_on
        return f"{place} as reviewed in {known:%Y-%m}" if known == self.reviewed_on else f"{place}-{known:%Y-%m}"


def weekly_words(weekly: Weekly) -> str:
    """Hours in words, such as `8:00–20:00`, or `9:00–21:00, Sunday 12:00–21:00`."""
    usual = max(set(weekly), key=weekly.count)
    others = [f"{_DAYS[place].capitalize()} {_clock(row)}" for place, row in enumerate(weekly) if row != usual]
    return ", ".join([_clock(usual), *others])


def _clock(row: tuple[Minutes, Minutes] | None) -> str:
    if row is None:
        return "closed"
    return "–".join(f"{minutes // 60}:{minutes % 60:02}" for minutes in row)


def daily(opens: int, closes: int) -> Weekly:
    """The same whole hours on all seven days."""
    return ((opens * 60, closes * 60),) * 7


def _hours(text: str) -> tuple[Minutes, Minutes]:
    opens, closes = text.split("-")
    return int(opens) * 60, int(closes) * 60


def _rule(row: dict[str, Any]) -> HoursRule:
    weekly = tuple(_hours(row.get(day, row["daily"])) for day in _DAYS)
    found = provenance(row, where="hours.toml")
    reviewed_on = row.get("reviewed_on")
    if type(reviewed_on) is not date or reviewed_on < found.effective_on:
        raise Unsourced(f"hours.toml: {row} does not say when it was last looked at.")
    return HoursRule(frozenset(row["states"]), weekly, found, reviewed_on)


FEDERAL, *_OF_STATES = (_rule(row) for row in read("hours.toml")["rule"])
RULES: tuple[HoursRule, ...] = tuple(_OF_STATES)


def _states(codes: str) -> frozenset[str]:
    return frozenset(codes.split())


FIFTY_STATES_AND_DC = _states(
    "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK "
    "OR PA RI SC SD TN TX UT VT VA WA WV WI WY"
)
TERRITORIES = _states("PR VI GU MP AS")

_BY_STATE = {state: rule for rule in RULES for state in rule.states}


def rule_for(state: str | None) -> HoursRule:
    """The rule of a state (USPS code); the federal one where it has none of its own."""
    return _BY_STATE.get(state or "", FEDERAL)
