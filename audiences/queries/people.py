"""The people of an audience, page by page, with what decides whether each can be texted."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from audiences.queries.groups import Counted, Predicate, count_fitting, predicate_of_ids
from audiences.rules.exclusions import Reason
from common.ahead import quick_turns
from common.sql import fetch_all
from common.tenancy import current_organization_id
from consent.rules.projection import LONG_AGO
from contacts.models import Contact, ImportedPerson, ListMember, PhoneLabel
from content.rules.rendering import CUSTOM


@dataclass(frozen=True, slots=True)
class Audience:
    """All contacts; or those on any of the lists or in any of the target groups; or the people of a file who became no

    contacts. `label` is the phone field that is texted (D4).
    """

    everyone: bool = True
    list_ids: tuple[int, ...] = ()
    group_ids: tuple[int, ...] = ()
    import_id: int | None = None
    label: str = PhoneLabel.MOBILE


@dataclass(frozen=True, slots=True)
class Look:
    """What is to be known of each person: for which campaign, the values of which tags (in order), where they live,

    and whether the campaign has them already (a campaign without messages need not ask). Texts `since` then count for
    the program's cap.
    """

    program_id: int
    campaign_id: int
    fields: tuple[str, ...] = ()
    label: str = PhoneLabel.MOBILE
    homes: bool = True
    texted: bool = True
    since: datetime = LONG_AGO


class Candidate(NamedTuple):
    """A contact of the audience. `phone` is empty where the field is; `reason` says why it cannot be texted, or "".

    The id of somebody of a file is the row's, negative (contacts.models.ImportedPerson).
    `home` is (time zone, region, postcode, country) as far as the contact's own row knows them; empty where the look
    does not ask for it.
    """

    contact_id: int
    phone: str
    reason: str
    values: tuple[str | None, ...]
    home: tuple[str, ...]


def candidates(audience: Audience, look: Look, *, after_id: int, limit: int, now: datetime) -> list[Candidate]:
    """The next contacts of the audience in the order of their ids.

    Raises GroupRefused where a target group of it is gone or cannot be evaluated.
    """
    return _candidates(fetch_all(*_page(source_of(audience, now=now), look, after_id, limit)), look)


def first_candidates(audience: Audience, look: Look, *, limit: int, size: Counted, now: datetime) -> list[Candidate]:
    """Some of the audience to be looked at, the first ones where that is quick; `size` is what it was counted to be.

    Few people of a large target group would be looked for among everybody.
    """
    if audience.group_ids and not audience.everyone:
        found = candidates_by_id(size.examples[:limit], look)
        return [found[one] for one in sorted(found)]
    return candidates(audience, look, after_id=0, limit=limit, now=now)


def candidates_by_id(contact_ids: Sequence[int], look: Look) -> dict[int, Candidate]:
    """The same of given contacts, by id; those who are gone are missing."""
    rows = fetch_all(*_given(look, contact_ids))
    return {candidate.contact_id: candidate for candidate in _candidates(rows, look)}


class Source(NamedTuple):
    """Where the people of an audience come from: the words of the statement, and (of target groups) what is asked."""

    people: str
    parameters: Mapping[str, Any]
    predicate: Predicate | None = None
    apart: bool = False


def source_of(audience: Audience, *, now: datetime) -> Source:
    """How the people of an audience are read. Raises GroupRefused where a target group of it cannot be evaluated."""
    if audience.everyone:
        return Source(_EVERYBODY, {})
    if audience.import_id is not None:
        return Source(_OF_A_FILE, {"import": audience.import_id}, apart=True)
    lists = {"lists": list(audience.list_ids)}
    if not audience.group_ids:
        return Source(_ON_LISTS, lists)
    groups = predicate_of_ids(audience.group_ids, now=now)
    if audience.list_ids:
        whole, probing = (f"({sql} OR {_LISTED})" for sql in (groups.sql, groups.probing))
        groups = Predicate(whole, probing, {**groups.parameters, **lists})
    return Source(_FITTING.format(predicate=groups.probing), groups.parameters, groups)


class Pages:
    """Reads the next page of an audience while the last one is worked on; every page in the transaction of its scope.

    The statement runs in a thread of its own, on the same connection: PostgreSQL and Python work at the same time, and
    whoever writes in between waits for the read. Without a `source` only given contacts can be asked for.
    """

    def __init__(self, look: Look, source: "Source | None" = None) -> None:
        self._source, self._look = source or Source(_EVERYBODY, {}), look
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="audience")
        self._turns = quick_turns()

    def __enter__(self) -> "Pages":
        self._turns.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.shutdown()
        self._turns.__exit__(None, None, None)

    def ask(self, *, after_id: int, limit: int) -> "Callable[[], list[Candidate]]":
        """Begin to read what follows a contact; call the answer for it before the scope is left."""
        rows = self._ask(*_page(self._source, self._look, after_id, limit))
        return lambda: _candidates(rows(), self._look)

    def ask_by_id(self, contact_ids: Sequence[int]) -> "Callable[[], dict[int, Candidate]]":
        """Begin to read given contacts; the answer is that of `candidates_by_id`."""
        rows = self._ask(*_given(self._look, contact_ids))
        return lambda: {candidate.contact_id: candidate for candidate in _candidates(rows(), self._look)}

    def _ask(self, sql: str, parameters: dict[str, Any]) -> "Callable[[], list[Any]]":
        connection.ensure_connection()
        raw: Any = connection.connection
        asked: Future[list[Any]] = self._reader.submit(_fetch, raw, sql, parameters)

        def answer() -> list[Any]:
            with connection.wrap_database_errors:
                return asked.result()

        return answer


def audience_size(audience: Audience, *, now: datetime) -> Counted:
    """How many contacts are in the audience, before anybody is left out; of a large target group about how many."""
    if audience.everyone:
        return Counted(Contact.objects.count(), True)
    if audience.import_id is not None:
        return Counted(ImportedPerson.objects.filter(import_id=audience.import_id).count(), True)
    if (asked := source_of(audience, now=now).predicate) is not None:
        return count_fitting(asked)
    members = ListMember.objects.filter(contact_list_id__in=audience.list_ids)
    one = len(audience.list_ids) == 1
    return Counted(members.count() if one else members.values("contact_id").distinct().count(), True)


def _fetch(raw: Any, sql: str, parameters: dict[str, Any]) -> list[Any]:
    with raw.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[Any] = cursor.fetchall()
        return rows


def _candidates(rows: list[tuple[Any, ...]], look: Look) -> list[Candidate]:
    values = 3 + len(look.fields)
    return [Candidate(row[0], row[1], row[2], row[3:values], row[values:]) for row in rows]


def _page(source: Source, look: Look, after_id: int, limit: int) -> tuple[str, dict[str, Any]]:
    sql = _select(look, source.people, apart=source.apart)
    return sql, {**source.parameters, **_parameters(look), "after": after_id, "limit": limit}


def _given(look: Look, ids: Sequence[int]) -> tuple[str, dict[str, Any]]:
    """The statement for given people, all of them contacts or all of a file."""
    apart = bool(ids) and ids[0] < 0
    sql = _select(look, _GIVEN_OF_A_FILE if apart else _GIVEN, apart=apart)
    return sql, _parameters(look) | {"contacts": [abs(one) for one in ids]}


def _parameters(look: Look) -> dict[str, Any]:
    found: dict[str, Any] = {
        "organization": current_organization_id(),
        "label": look.label,
        "program": look.program_id,
        "campaign": look.campaign_id,
        "since": look.since,
    }
    for place, field in enumerate(look.fields):
        if field.startswith(CUSTOM):
            found[f"custom_{place}"] = field.removeprefix(CUSTOM)
    return found


_COLUMNS = ("first_name", "last_name", "email", "company", "city", "region", "postcode", "country")


def _select(look: Look, people: str, *, apart: bool = False) -> str:
    """The statement, with the fields of a text as further columns; their names are ours, never a user's words."""
    columns = [_column(field, place) for place, field in enumerate(look.fields)]
    if look.homes:
        columns += _HOMES_OF_A_FILE if apart else ["c.time_zone", "c.region", "c.postcode", "c.country"]
    texted = _TEXTED if look.texted else "CROSS JOIN (SELECT NULL::boolean AS texted) m"
    fields = "".join(f", {column}" for column in columns)
    phones, order = (_OWN_PHONE, "c.id DESC") if apart else (_LABELLED, "c.id")
    return _SELECT.format(fields=fields, people=people, phones=phones, texted=texted, order=order)


def _column(field: str, place: int) -> str:
    if field in _COLUMNS:
        return f"c.{field}"
    if field.startswith(CUSTOM):
        return f"c.custom->>%(custom_{place})s"
    return "p.phone" if field == "phone" else "NULL"


# The first reason that applies is the one told (audiences.rules.exclusions). Each table is asked for each person of
# the page by its index, which LATERAL with a limit makes sure of: a hash of the whole table for each page would make
# the cost grow with the square of the audience.
_SELECT = f"""
SELECT c.id, COALESCE(p.phone, ''), CASE
    WHEN p.phone IS NULL THEN '{Reason.NO_PHONE}'
    WHEN NOT p.textable THEN '{Reason.NOT_TEXTABLE}'
    WHEN o.stopped THEN '{Reason.OPTED_OUT}'
    WHEN s.agreed IS NULL THEN '{Reason.NO_CONSENT}'
    WHEN p.phone IN (
        SELECT x.phone FROM consent_possibleoptout x
        WHERE x.organization_id = %(organization)s AND x.resolved_at IS NULL) THEN '{Reason.MAYBE_STOP}'
    WHEN g.cap IS NOT NULL AND g.cap <= (
        SELECT count(*) FROM messaging_message x JOIN messaging_stream y ON y.id = x.stream_id
        WHERE x.organization_id = c.organization_id AND x.phone = p.phone
            AND (x.captured OR x.state IN ('CLAIMED', 'UNKNOWN'))
            AND y.program_id = %(program)s AND x.claimed_at > %(since)s) THEN '{Reason.OFTEN_ENOUGH}'
    WHEN m.texted THEN '{Reason.IN_OTHER_OUTREACH}'
    ELSE '' END{{fields}}
FROM ({{people}}) c
CROSS JOIN (SELECT (
    SELECT x.monthly_cap FROM consent_program x
    WHERE x.organization_id = %(organization)s AND x.id = %(program)s) AS cap) g
{{phones}}
LEFT JOIN LATERAL (
    SELECT true AS stopped FROM consent_optout x
    WHERE x.organization_id = c.organization_id AND x.phone = p.phone AND x.lifted_at IS NULL LIMIT 1) o ON true
LEFT JOIN LATERAL (
    SELECT true AS agreed FROM consent_consentstate x
    WHERE x.organization_id = c.organization_id AND x.phone = p.phone AND x.program_id = %(program)s AND x.granted
    LIMIT 1) s ON true
{{texted}}
ORDER BY {{order}}
"""

_LABELLED = """
LEFT JOIN LATERAL (
    SELECT q.phone, q.textable FROM contacts_contactphone q
    WHERE q.organization_id = c.organization_id AND q.contact_id = c.id AND q.label = %(label)s
    ORDER BY q.id LIMIT 1) p ON true
"""

# What is known of the contact with this phone holds for the row of a file too: what the carrier said of the phone, and
# where they live.
_OWN_PHONE = """
CROSS JOIN LATERAL (
    SELECT c.phone, COALESCE(q.textable, true) AS textable, h.time_zone, h.region, h.postcode, h.country
    FROM (SELECT 1) one
    LEFT JOIN LATERAL (
        SELECT x.textable, x.contact_id FROM contacts_contactphone x
        WHERE x.organization_id = c.organization_id AND x.phone = c.phone LIMIT 1) q ON true
    LEFT JOIN LATERAL (
        SELECT x.time_zone, x.region, x.postcode, x.country FROM contacts_contact x
        WHERE x.organization_id = c.organization_id AND x.id = q.contact_id LIMIT 1) h ON true) p
"""

# The contact's own zone, then the row's; the contact's address where the row has none.
_HOMES_OF_A_FILE = [
    "COALESCE(NULLIF(p.time_zone, ''), c.time_zone)",
    *(
        f"CASE WHEN c.region = '' AND c.postcode = '' THEN COALESCE(NULLIF(p.{name}, ''), c.{name}) ELSE c.{name} END"
        for name in ("region", "postcode", "country")
    ),
]

_TEXTED = """
LEFT JOIN LATERAL (
    SELECT true AS texted FROM messaging_message x WHERE x.campaign_id = %(campaign)s AND x.phone = p.phone
    LIMIT 1) m ON true
"""

_EVERYBODY = """
    SELECT * FROM contacts_contact WHERE organization_id = %(organization)s AND id > %(after)s
    ORDER BY id LIMIT %(limit)s
"""

_GIVEN = "SELECT * FROM contacts_contact WHERE organization_id = %(organization)s AND id = ANY(%(contacts)s::bigint[])"

_ROWS_OF_A_FILE = """
    SELECT -r.id AS id, r.organization_id, r.phone, r.first_name, r.last_name, r.email, r.company, r.city, r.region,
        r.postcode, r.country, r.time_zone, r.custom
    FROM contacts_importedperson r WHERE r.organization_id = %(organization)s
"""

# Each id is the negative of the row's: what comes after it is a row with a larger one.
_OF_A_FILE = f"""
    {_ROWS_OF_A_FILE} AND r.import_id = %(import)s AND r.id > -(%(after)s) ORDER BY r.id LIMIT %(limit)s
"""

_GIVEN_OF_A_FILE = f"{_ROWS_OF_A_FILE} AND r.id = ANY(%(contacts)s::bigint[])"

_FITTING = """
    SELECT c.* FROM contacts_contact c WHERE c.organization_id = %(organization)s AND c.id > %(after)s AND {predicate}
    ORDER BY c.id LIMIT %(limit)s
"""

_LISTED = """EXISTS (
    SELECT 1 FROM contacts_listmember l WHERE l.organization_id = c.organization_id AND l.contact_id = c.id
        AND l.contact_list_id = ANY(%(lists)s::bigint[]))"""

# Each list gives its next members by its index: a short list costs nothing however many contacts there are.
_ON_LISTS = """
    SELECT d.* FROM (
        SELECT DISTINCT l.contact_id AS id FROM unnest(%(lists)s::bigint[]) AS chosen(list_id)
        CROSS JOIN LATERAL (
            SELECT m.contact_id FROM contacts_listmember m
            WHERE m.organization_id = %(organization)s AND m.contact_list_id = chosen.list_id
                AND m.contact_id > %(after)s
            ORDER BY m.contact_id LIMIT %(limit)s) l
        ORDER BY id LIMIT %(limit)s) w
    CROSS JOIN LATERAL (
        SELECT * FROM contacts_contact e WHERE e.organization_id = %(organization)s AND e.id = w.id LIMIT 1) d
"""
