"""Target groups: what they may ask, whom they find, how many that are."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import OperationalError, transaction
from django.db.models import QuerySet

from accounts.queries import current_organization
from audiences.models import TargetGroup
from audiences.queries.conditions import Statement
from audiences.rules.conditions import IN_GROUP, Group, GroupRefused, from_json, groups_named
from audiences.rules.questions import EVENTS, IMPORT, Kind, Question
from common.sql import fetch_all, run
from common.tenancy import current_organization_id
from consent.queries import programs
from consent.rules.places import STATE_NAMES, area_codes_by_zone
from contacts.queries import contact_lists, custom_fields
from contacts.rules.countries import countries
from contacts.rules.fields import FieldKind
from content.rules.languages import LANGUAGES
from content.rules.rendering import CUSTOM

EXACT_WITHIN_MS = 40
"""How long a page waits for the exact count; then it says "about", by a sample."""

SAMPLED = 3_000
"""People of a sample: a tenth of everybody is told to within a tenth of itself, nineteen times in twenty."""

WHILE_FILLING_MS = 1_000
"""How long the exact count may take where there is no sample yet."""

SHOWN = 20

_KINDS = {
    FieldKind.TEXT: Kind.TEXT,
    FieldKind.NUMBER: Kind.NUMBER,
    FieldKind.DATE: Kind.DATE,
    FieldKind.CHOICE: Kind.CHOICE,
    FieldKind.YES_NO: Kind.YES_NO,
}


@dataclass(frozen=True, slots=True)
class Counted:
    """How many people fit; not `exact`: about so many, by a sample. `examples` are ids of a few of them."""

    people: int
    exact: bool
    examples: tuple[int, ...] = ()


def target_groups() -> QuerySet[TargetGroup]:
    """By name."""
    return TargetGroup.objects.order_by("name", "id")


def all_conditions() -> dict[int, Group]:
    """The conditions of every target group, by its id."""
    return {row.id: from_json(row.conditions) for row in TargetGroup.objects.all()}


def groups_asking_for(group_id: int) -> list[str]:
    """The names of the target groups that ask for this one."""
    return [row.name for row in target_groups() if group_id in groups_named(from_json(row.conditions))]


def questions(
    *,
    campaigns: Iterable[tuple[str, str]] | None = None,
    imports: Iterable[tuple[str, str]] | None = None,
    besides: int | None = None,
) -> dict[str, Question]:
    """Everything that can be asked, by key, in the order of the builder.

    `campaigns` and `imports` are ids and names; without them any id is taken (to evaluate, names need not be known).
    `besides` is the target group that asks: it cannot name itself.
    """
    person, where, own = "The person", "Where they are", "Your own fields"
    grouped, agreement, happened = "Lists and imports", "Agreement", "What happened"
    events = None if campaigns is None else tuple(campaigns)
    found = [
        Question("first_name", "First name", Kind.TEXT, person),
        Question("last_name", "Last name", Kind.TEXT, person),
        Question("company", "Company", Kind.TEXT, person),
        Question("email", "E-mail", Kind.TEXT, person),
        Question("language", "Language", Kind.CHOICE, person, tuple(LANGUAGES.items())),
        Question("known_since", "Became a contact", Kind.SINCE, person),
        Question("city", "City", Kind.TEXT, where),
        Question("region", "State or region", Kind.TEXT, where),
        Question("postcode", "Postcode", Kind.TEXT, where),
        Question("country", "Country", Kind.CHOICE, where, tuple(countries())),
        Question("area", "Area code of a phone", Kind.AREA, where),
        Question("state", "State of the area code", Kind.SET, where, tuple(STATE_NAMES.items())),
        Question("zone", "Time zone, own or by area code", Kind.SET, where, _zones()),
        Question("time_zone", "Time zone as written", Kind.TEXT, where),
        *(
            Question(f"{CUSTOM}{row.key}", row.name, _KINDS[FieldKind(row.kind)], own, _same(row.choices))
            for row in custom_fields()
        ),
        Question("list", "On a list", Kind.SET, grouped, _named(contact_lists())),
        Question(IN_GROUP, "In a target group", Kind.SET, grouped, _named(target_groups().exclude(id=besides or 0))),
        Question(IMPORT, "Came with an import", Kind.SET, grouped, None if imports is None else tuple(imports)),
        Question("program", "Agreed to a program", Kind.SET, agreement, _named(programs())),
        Question("stopped", "Said STOP", Kind.STOPPED, agreement),
        *(Question(key, label, Kind.EVENT, happened, events) for key, label in EVENTS.items()),
    ]
    return {question.key: question for question in found}


@dataclass(frozen=True, slots=True)
class Predicate:
    """What an SQL statement asks of a contact `c`, with its parameters; `probing` is the same, person by person."""

    sql: str
    probing: str
    parameters: Mapping[str, Any]


def predicate_of(
    group: Group, *, now: datetime, group_id: int | None = None, known: Mapping[str, Question] | None = None
) -> Predicate:
    """Conditions as SQL; `known` is what can be asked, where that was looked up already.

    Raises GroupRefused where they cannot be evaluated: nobody is found by half of them.
    """
    kept = all_conditions() if groups_named(group) else {}
    return _predicate([group], now, kept, known, within=frozenset() if group_id is None else frozenset((group_id,)))


def predicate_of_ids(group_ids: Iterable[int], *, now: datetime) -> Predicate:
    """Whoever is in any of the target groups. Raises GroupRefused where one is gone."""
    kept = all_conditions()
    try:
        chosen = [kept[one] for one in group_ids]
    except KeyError as error:
        raise GroupRefused("A target group that was chosen is not there any more. Choose again.") from error
    return _predicate(chosen, now, kept)


def count_people(
    group: Group,
    *,
    now: datetime,
    group_id: int | None = None,
    known: Mapping[str, Question] | None = None,
    within_ms: int = EXACT_WITHIN_MS,
) -> Counted:
    """How many contacts fit, and a few of them. Raises GroupRefused (see `predicate_of`)."""
    return count_fitting(predicate_of(group, now=now, group_id=group_id, known=known), within_ms=within_ms)


def count_fitting(asked: Predicate, *, within_ms: int = EXACT_WITHIN_MS) -> Counted:
    """The same of a predicate."""
    facts = {**asked.parameters, "organization": current_organization_id(), "sampled": SAMPLED, "shown": SHOWN}
    try:
        with transaction.atomic():
            run("SELECT set_config('statement_timeout', %s, true)", [str(within_ms)])
            ((people, examples),) = fetch_all(_COUNT.format(predicate=asked.sql), facts)
            transaction.set_rollback(True)  # with it the limit goes
        return Counted(people, True, tuple(examples or ()))
    except OperationalError as error:
        if getattr(error.__cause__, "pgcode", "") != _QUERY_CANCELED:
            raise
    ((fitting, looked_at, reach, examples),) = fetch_all(_SAMPLE.format(predicate=asked.probing), facts)
    if looked_at < SAMPLED and within_ms < WHILE_FILLING_MS:  # people just brought are not shuffled yet
        return count_fitting(asked, within_ms=WHILE_FILLING_MS)
    people = _rounded(fitting / reach * _SPREAD) if looked_at == SAMPLED else fitting
    return Counted(people, False, tuple(examples or ()))


def _predicate(
    chosen: Sequence[Group],
    now: datetime,
    kept: Mapping[int, Group],
    known: Mapping[str, Question] | None = None,
    *,
    within: frozenset[int] = frozenset(),
) -> Predicate:
    asked = questions() if known is None else known
    zone = ZoneInfo(current_organization().time_zone)
    whole, probing = (Statement(asked, kept, now, zone, probing) for probing in (False, True))
    sql, single = (" OR ".join(one.node(group, within) for group in chosen) for one in (whole, probing))
    return Predicate(f"({sql})", f"({single})", whole.parameters)


def _named(rows: Iterable[Any]) -> tuple[tuple[str, str], ...]:
    return tuple((str(row.id), str(row)) for row in rows)


def _same(values: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return tuple((value, value) for value in values)


def _zones() -> tuple[tuple[str, str], ...]:
    return tuple((zone, zone.replace("_", " ")) for zone in area_codes_by_zone())


def _rounded(estimate: float) -> int:
    """To two figures: a sample knows no more."""
    whole = round(estimate)
    return round(whole, 2 - len(str(whole))) if whole >= 100 else whole


_QUERY_CANCELED = "57014"

_SPREAD = 2.0**32
"""How many values the hash of an id may have."""

_COUNT = """
WITH fits AS MATERIALIZED (
    SELECT c.id FROM contacts_contact c WHERE c.organization_id = %(organization)s AND {predicate})
SELECT (SELECT count(*) FROM fits),
    (SELECT array_agg(x.id ORDER BY x.id) FROM (SELECT id FROM fits ORDER BY id LIMIT %(shown)s) x)
"""

# Everybody in the order of a hash of their ids is in no order: the first of them are a sample, and how far their
# hashes reach tells how many there are. Each one is looked up by the indexes, which LATERAL with a limit makes sure of.
_SAMPLE = """
WITH sample AS MATERIALIZED (
    SELECT s.contact_id, hashint8(s.contact_id) AS place FROM contacts_contactsearch s
    WHERE s.organization_id = %(organization)s ORDER BY s.organization_id, hashint8(s.contact_id) LIMIT %(sampled)s),
fits AS MATERIALIZED (
    SELECT f.id FROM sample CROSS JOIN LATERAL (
        SELECT c.id FROM contacts_contact c
        WHERE c.organization_id = %(organization)s AND c.id = sample.contact_id AND {predicate} LIMIT 1) f)
SELECT (SELECT count(*) FROM fits), (SELECT count(*) FROM sample),
    (SELECT max(place)::float8 + 2147483649 FROM sample),
    (SELECT array_agg(x.id ORDER BY x.id) FROM (SELECT id FROM fits ORDER BY id LIMIT %(shown)s) x)
"""
