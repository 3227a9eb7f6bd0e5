"""Conditions as one SQL predicate over a contact `c`.

Safe by construction: the statement is put together of the words below alone; whatever a person typed, keys of fields
included, is a parameter. Each table is asked by the organization first, as its indexes begin.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from audiences.rules.conditions import IN_GROUP, MOST_CONDITIONS, Condition, Group, GroupRefused, Node
from audiences.rules.questions import Kind, Question, asked
from consent.rules.places import area_codes_by_zone, area_codes_of_state
from content.rules.rendering import CUSTOM

COLUMNS = frozenset(
    ("first_name", "last_name", "email", "company", "city", "region", "postcode", "country", "language", "time_zone")
)
ANSWERS_WITHIN = timedelta(days=7)
"""What somebody writes within a week of a campaign's text is an answer to it."""


@dataclass
class Statement:
    """A predicate that is being written, with its parameters.

    `probing`: what lies in other tables is looked up by index for each person. The planner would rather read a whole
    table once, which is right for a count and wrong for each page of an audience: the cost would grow with the square.
    """

    questions: Mapping[str, Question]
    groups: Mapping[int, Group]
    now: datetime
    zone: ZoneInfo
    probing: bool = False
    parameters: dict[str, Any] = field(default_factory=dict)
    _conditions: int = 0

    def put(self, value: Any) -> str:
        """The place of a parameter."""
        name = f"asked_{len(self.parameters)}"
        self.parameters[name] = value
        return f"%({name})s"

    def node(self, node: Node, within: frozenset[int] = frozenset()) -> str:
        """The predicate of a group or a condition; `within` are the target groups around it.

        Raises GroupRefused where something that it asks for is not there, or it asks for too much.
        """
        if isinstance(node, Group):
            if not node.of:
                raise GroupRefused("A group without a condition fits nobody. Add one, or remove the group.")
            return "(" + (" AND " if node.every else " OR ").join(self.node(one, within) for one in node.of) + ")"
        self._conditions += 1
        if self._conditions > MOST_CONDITIONS * 10:
            raise GroupRefused("This asks for too many other groups at once. Make it simpler.")
        question = self.questions.get(node.what)
        if question is None:
            raise GroupRefused("A field that this group asks for is not there any more. Choose another one.")
        values = asked(node, question)
        if node.what == IN_GROUP:
            return self._of_groups(node, values, within)
        if node.what in COLUMNS or node.what.startswith(CUSTOM):
            return self._of_field(node, question.kind, values)
        return _SUBJECTS[node.what](self, node.how, values)

    def _of_groups(self, condition: Condition, values: Sequence[str], within: frozenset[int]) -> str:
        found = []
        for group_id in map(int, values):
            if group_id in within:
                raise GroupRefused("A target group cannot ask for itself, nor for a group that asks for it.")
            found.append(self.node(self.groups[group_id], within | {group_id}))
        return _negated("(" + " OR ".join(found) + ")", condition.how == "none_of")

    def _of_field(self, condition: Condition, kind: Kind, values: tuple[str, ...]) -> str:
        if condition.what.startswith(CUSTOM):
            key = self.put(condition.what.removeprefix(CUSTOM))
            said = f"c.custom->>{key}"
        else:
            key, said = "", f"c.{condition.what}"
        if condition.how in ("empty", "filled"):
            return f"COALESCE({said}, '') {'=' if condition.how == 'empty' else '<>'} ''"
        if kind is Kind.NUMBER:
            # CASE keeps the order: a value that is no number (the field was a text once) is never cast.
            number = f"CASE WHEN jsonb_typeof(c.custom->{key}) = 'number' THEN ({said})::numeric END"
            return self._number(number, condition.how, values)
        if kind is Kind.DATE:
            return self._date(said, condition.how, values)
        if kind is Kind.YES_NO:
            return f"COALESCE({said}, '') = {self.put(condition.how)}"
        if kind is Kind.CHOICE:
            chosen = f"COALESCE({said}, '') = ANY({self.put(list(values))}::text[])"
            return _negated(chosen, condition.how == "none_of")
        return self._text(said, condition.how, values)

    def _text(self, said: str, how: str, values: tuple[str, ...]) -> str:
        # Capitals and accents do not matter, as where people are searched for; the words are made plain once.
        plain = f"lower(unaccent(COALESCE({said}, '')))"
        places = [f"(SELECT lower(unaccent({self.put(value)})))" for value in values]
        if how in ("is", "is_not"):
            return _negated(f"{plain} = {places[0]}", how == "is_not")
        if how in ("contains", "lacks"):
            return _negated(f"position({places[0]} IN {plain}) > 0", how == "lacks")
        if how == "begins":
            return f"starts_with({plain}, {places[0]})"
        return f"{plain} IN ({', '.join(places)})"

    def _number(self, number: str, how: str, values: tuple[str, ...]) -> str:
        places = [f"{self.put(value)}::numeric" for value in values]
        if how == "between":
            return f"COALESCE({number} BETWEEN {places[0]} AND {places[1]}, false)"
        sign = {"equals": "=", "at_least": ">=", "at_most": "<="}[how]
        return f"COALESCE({number} {sign} {places[0]}, false)"

    def _date(self, said: str, how: str, values: tuple[str, ...]) -> str:
        # Kept as 2026-05-04: such words stand in the order of their days. What looks otherwise is no date.
        day = f"CASE WHEN {said} ~ '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}$' THEN {said} END COLLATE \"C\""
        today = self.now.astimezone(self.zone).date()
        if how == "yearly":
            return f"COALESCE(substr({day}, 6) = ANY({self.put(_days_of_year(today, int(values[0])))}::text[]), false)"
        if how in ("past", "ahead"):
            first, last = sorted((today, _shifted(today, int(values[0]) * (1 if how == "ahead" else -1))))
            return f"COALESCE({day} BETWEEN {self.put(first.isoformat())} AND {self.put(last.isoformat())}, false)"
        sign = {"on": "=", "before": "<", "after": ">"}[how]
        return f"COALESCE({day} {sign} {self.put(values[0])}, false)"

    def ago(self, days: str) -> str:
        """The moment so many days ago."""
        return self.put(self.now - timedelta(days=int(days)))

    def midnight(self, day: str, *, after: bool = False) -> str:
        """When a day begins in the organization's zone, or (`after`) when it is over."""
        found = date.fromisoformat(day) + timedelta(days=1 if after else 0)
        return self.put(datetime.combine(found, time(0), self.zone))

    def exists(self, tables: str, where: str) -> str:
        """Whether there is a row."""
        return f"EXISTS (SELECT 1 FROM {tables} WHERE {where}{' OFFSET 0' if self.probing else ''})"

    def ids(self, values: Sequence[str]) -> str:
        """Ids as an array."""
        return f"{self.put([int(value) for value in values])}::bigint[]"


def _negated(predicate: str, negated: bool) -> str:
    return f"NOT ({predicate})" if negated else predicate


def _shifted(day: date, days: int) -> date:
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return date.max if days > 0 else date.min


def _days_of_year(today: date, days: int) -> list[str]:
    """The days from today on as 05-04; who was born on a leap day has it on the 28th of February in other years."""
    found = [(today + timedelta(days=one)).strftime("%m-%d") for one in range(min(days, 366) + 1)]
    return [*found, *(["02-29"] if "02-28" in found else [])]


# What a person has beyond a row -------------------------------------------------------------------------------------

_PHONES = "contacts_contactphone p"
_THEIRS = "p.organization_id = c.organization_id AND p.contact_id = c.id"


def _on_lists(statement: Statement, how: str, values: Sequence[str]) -> str:
    where = f"l.contact_id = c.id AND l.contact_list_id = ANY({statement.ids(values)})"
    found = statement.exists("contacts_listmember l", f"l.organization_id = c.organization_id AND {where}")
    return _negated(found, how != "any_of")


def _imported(statement: Statement, how: str, values: Sequence[str]) -> str:
    where = f"i.contact_id = c.id AND i.import_id = ANY({statement.ids(values)})"
    found = statement.exists("contacts_importedcontact i", f"i.organization_id = c.organization_id AND {where}")
    return _negated(found, how != "any_of")


def _agreed(statement: Statement, how: str, values: Sequence[str]) -> str:
    joined = f"{_PHONES} JOIN consent_consentstate s ON s.organization_id = p.organization_id AND s.phone = p.phone"
    where = f"{_THEIRS} AND s.granted AND s.program_id = ANY({statement.ids(values)})"
    return _negated(statement.exists(joined, where), how != "any_of")


def _stopped(statement: Statement, how: str, values: Sequence[str]) -> str:
    joined = f"{_PHONES} JOIN consent_optout o ON o.organization_id = p.organization_id AND o.phone = p.phone"
    return _negated(statement.exists(joined, f"{_THEIRS} AND o.lifted_at IS NULL"), how != "yes")


def _area(statement: Statement, areas: Sequence[str], negated: bool) -> str:
    where = f"{_THEIRS} AND p.phone LIKE '+1%%' AND substr(p.phone, 3, 3) = ANY({statement.put(sorted(areas))}::text[])"
    return _negated(statement.exists(_PHONES, where), negated)


def _area_code(statement: Statement, how: str, values: Sequence[str]) -> str:
    return _area(statement, values, how == "none_of")


def _state(statement: Statement, how: str, values: Sequence[str]) -> str:
    return _area(statement, [area for state in values for area in area_codes_of_state(state)], how == "none_of")


def _zone(statement: Statement, how: str, values: Sequence[str]) -> str:
    areas = [area for zone in values for area in area_codes_by_zone().get(zone, ())]
    own = f"c.time_zone = ANY({statement.put(list(values))}::text[])"
    return _negated(f"({own} OR (c.time_zone = '' AND {_area(statement, areas, False)}))", how == "none_of")


def _known_since(statement: Statement, how: str, values: Sequence[str]) -> str:
    if how in ("past", "older"):
        return f"c.created_at {'>=' if how == 'past' else '<'} {statement.ago(values[0])}"
    if how == "before":
        return f"c.created_at < {statement.midnight(values[0])}"
    return f"c.created_at >= {statement.midnight(values[0], after=True)}"


def _event(tables: str, happened: str, at: str, *, campaign: str) -> Callable[[Statement, str, Sequence[str]], str]:
    """Something that happened to a phone of the person, at a time, in a campaign.

    `tables` are joined to p; `campaign` says what more is asked where campaigns are named ({ids} stands for them).
    """

    def predicate(statement: Statement, how: str, values: Sequence[str]) -> str:
        where = f"{_THEIRS} AND {happened}"
        if how in ("past", "not_past"):
            where += f" AND {at} >= {statement.ago(values[0])}"
        if how in ("any_of", "none_of"):
            where += " AND " + campaign.format(ids=statement.ids(values), within=statement.put(ANSWERS_WITHIN))
        return _negated(statement.exists(f"{_PHONES} {tables}", where), how in ("not_past", "never", "none_of"))

    return predicate


_MESSAGES = "JOIN messaging_message m ON m.organization_id = p.organization_id AND m.phone = p.phone"
_INBOUND = "JOIN messaging_inboundtext t ON t.organization_id = p.organization_id AND t.phone = p.phone"
_CLICKS = "JOIN messaging_shortlink k ON k.organization_id = p.organization_id AND k.phone = p.phone"
_IN_CAMPAIGN = "m.campaign_id = ANY({ids})"
_ANSWER = (
    "EXISTS (SELECT 1 FROM messaging_message a WHERE a.campaign_id = ANY({ids}) AND a.phone = p.phone AND a.captured"
    " AND a.sender_number_id = t.sender_number_id AND a.claimed_at <= t.received_at"
    " AND t.received_at < a.claimed_at + {within})"
)
_CLICKED_IN = "EXISTS (SELECT 1 FROM messaging_link x WHERE x.id = k.link_id AND x.campaign_id = ANY({ids}))"

_SUBJECTS: dict[str, Callable[[Statement, str, Sequence[str]], str]] = {
    "list": _on_lists,
    "import": _imported,
    "program": _agreed,
    "stopped": _stopped,
    "area": _area_code,
    "state": _state,
    "zone": _zone,
    "known_since": _known_since,
    "texted": _event(_MESSAGES, "m.captured", "m.claimed_at", campaign=_IN_CAMPAIGN),
    "delivered": _event(_MESSAGES, "m.state = 'DELIVERED'", "m.settled_at", campaign=_IN_CAMPAIGN),
    "replied": _event(_INBOUND, "true", "t.received_at", campaign=_ANSWER),
    "clicked": _event(_CLICKS, "k.clicked_at IS NOT NULL", "k.clicked_at", campaign=_CLICKED_IN),
}
