"""Hours in which promotional texts are lawful, by state. Data with source and date; hours are the recipient's.

The federal rule is 47 CFR 64.1200(c)(1): 8:00 to 21:00. Where published tables disagree, the stricter value stands.
Reviewed 2026-04-08 against the tables of referrizer, usestello, Attentive, Telnyx and Postscript. Not legal advice.
"""

from dataclasses import dataclass
from datetime import date

Minutes = int
Weekly = tuple[tuple[Minutes, Minutes] | None, ...]
"""Seven rows, Monday first: minutes after midnight of opening and closing (24:00 is 1440), or None for closed."""

DAY = 24 * 60
ALWAYS: Weekly = ((0, DAY),) * 7


@dataclass(frozen=True, slots=True)
class HoursRule:
    """`states` are USPS codes."""

    states: frozenset[str]
    weekly: Weekly
    source: str
    effective_on: date


def daily(opens: int, closes: int) -> Weekly:
    """The same whole hours on all seven days."""
    return ((opens * 60, closes * 60),) * 7


def _days(weekday: tuple[int, int], saturday: tuple[int, int], sunday: tuple[int, int]) -> Weekly:
    rows = [weekday] * 5 + [saturday, sunday]
    return tuple((opens * 60, closes * 60) for opens, closes in rows)


def _states(codes: str) -> frozenset[str]:
    return frozenset(codes.split())


_REVIEWED = date(2026, 4, 8)
_TABLES = "referrizer, usestello"

FEDERAL = HoursRule(frozenset(), daily(8, 21), "47 CFR 64.1200(c)(1)", date(1992, 12, 20))
RULES: tuple[HoursRule, ...] = (
    HoursRule(_states("FL MD MS NJ OK AL LA MA"), daily(8, 20), _TABLES, _REVIEWED),
    HoursRule(_states("WA"), daily(8, 20), "Postscript", _REVIEWED),
    HoursRule(_states("CT"), daily(9, 20), _TABLES, _REVIEWED),
    HoursRule(_states("RI"), _days((9, 18), (10, 17), (10, 17)), _TABLES, _REVIEWED),
    HoursRule(_states("TX"), _days((9, 21), (9, 21), (12, 21)), "Attentive, Telnyx (SB 140)", date(2025, 9, 1)),
    HoursRule(_states("KY"), daily(10, 21), _TABLES, _REVIEWED),
    HoursRule(_states("CA IL MI MN"), daily(9, 21), "usestello", _REVIEWED),
)

FIFTY_STATES_AND_DC = _states(
    "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK "
    "OR PA RI SC SD TN TX UT VT VA WA WV WI WY"
)
TERRITORIES = _states("PR VI GU MP AS")

_BY_STATE = {state: rule for rule in RULES for state in rule.states}


def rule_for(state: str | None) -> HoursRule:
    """The rule of a state (USPS code); the federal one where it has none of its own."""
    return _BY_STATE.get(state or "", FEDERAL)
