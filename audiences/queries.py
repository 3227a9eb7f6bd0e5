"""The people of an audience, page by page, with what decides whether each can be texted."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection

from audiences.rules.exclusions import Reason
from common.sql import fetch_all
from common.tenancy import current_organization_id
from contacts.models import Contact, ListMember, PhoneLabel
from content.rules.rendering import CUSTOM


@dataclass(frozen=True, slots=True)
class Audience:
    """All contacts, or those on any of the lists; `label` is the phone field that is texted (D4)."""

    everyone: bool = True
    list_ids: tuple[int, ...] = ()
    label: str = PhoneLabel.MOBILE


@dataclass(frozen=True, slots=True)
class Look:
    """What is to be known of each person: for which campaign, and the values of which tags, in order."""

    program_id: int
    campaign_id: int
    fields: tuple[str, ...] = ()
    label: str = PhoneLabel.MOBILE


class Candidate(NamedTuple):
    """A contact of the audience. `phone` is empty where the field is; `reason` says why it cannot be texted, or "".

    `home` is (time zone, region, postcode, country) as far as the contact's own row knows them.
    """

    contact_id: int
    phone: str
    reason: str
    home: tuple[str, str, str, str]
    values: tuple[str | None, ...]


def candidates(audience: Audience, look: Look, *, after_id: int, limit: int) -> list[Candidate]:
    """The next contacts of the audience in the order of their ids."""
    return [_candidate(row) for row in fetch_all(*_page(audience, look, after_id, limit))]


def candidates_by_id(contact_ids: Sequence[int], look: Look) -> dict[int, Candidate]:
    """The same of given contacts, by id; those who are gone are missing."""
    sql = _select(look) % {"wanted": "SELECT unnest(%(contacts)s::bigint[]) AS id"}
    rows = fetch_all(sql, _parameters(look) | {"contacts": list(contact_ids)})
    return {row[0]: _candidate(row) for row in rows}


class Pages:
    """Reads the next page of an audience while the last one is worked on; every page in the transaction of its scope.

    The statement runs in a thread of its own, on the same connection: PostgreSQL and Python work at the same time, and
    whoever writes in between waits for the read.
    """

    def __init__(self, audience: Audience, look: Look, *, limit: int) -> None:
        self._audience, self._look, self._limit = audience, look, limit
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="audience")

    def __enter__(self) -> "Pages":
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.shutdown()

    def ask(self, after_id: int) -> "Callable[[], list[Candidate]]":
        """Begin to read what follows a contact; call the answer for it before the scope is left."""
        sql, parameters = _page(self._audience, self._look, after_id, self._limit)
        connection.ensure_connection()
        raw: Any = connection.connection
        asked: Future[list[Any]] = self._reader.submit(_fetch, raw, sql, parameters)

        def answer() -> list[Candidate]:
            with connection.wrap_database_errors:
                return [_candidate(row) for row in asked.result()]

        return answer


def audience_size(audience: Audience) -> int:
    """How many contacts are in the audience, before anybody is left out."""
    if audience.everyone:
        return Contact.objects.count()
    members = ListMember.objects.filter(contact_list_id__in=audience.list_ids)
    return members.count() if len(audience.list_ids) == 1 else members.values("contact_id").distinct().count()


def _fetch(raw: Any, sql: str, parameters: dict[str, Any]) -> list[Any]:
    with raw.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[Any] = cursor.fetchall()
        return rows


def _candidate(row: tuple[Any, ...]) -> Candidate:
    return Candidate(row[0], row[1], row[2], row[3:7], row[7:])


def _page(audience: Audience, look: Look, after_id: int, limit: int) -> tuple[str, dict[str, Any]]:
    lists = [] if audience.everyone else list(audience.list_ids)
    wanted = _EVERYBODY if audience.everyone else _ON_LISTS
    sql = _select(look) % {"wanted": wanted}
    return sql, _parameters(look) | {"after": after_id, "limit": limit, "lists": lists}


def _parameters(look: Look) -> dict[str, Any]:
    found: dict[str, Any] = {
        "organization": current_organization_id(),
        "label": look.label,
        "program": look.program_id,
        "campaign": look.campaign_id,
    }
    for place, field in enumerate(look.fields):
        if field.startswith(CUSTOM):
            found[f"custom_{place}"] = field.removeprefix(CUSTOM)
    return found


_COLUMNS = ("first_name", "last_name", "email", "company", "city", "region", "postcode", "country")


def _select(look: Look) -> str:
    """The statement, with the fields of a text as further columns; their names are ours, never a user's words."""
    columns = "".join(f", {_column(field, place)}" for place, field in enumerate(look.fields))
    return _SELECT.replace("/* fields */", columns)


def _column(field: str, place: int) -> str:
    if field in _COLUMNS:
        return f"c.{field}"
    if field.startswith(CUSTOM):
        return f"c.custom->>%(custom_{place})s".replace("%", "%%")
    return "p.phone" if field == "phone" else "NULL"


# The first reason that applies is the one told (audiences.rules.exclusions); later ones are not looked for.
_SELECT = f"""
WITH wanted AS MATERIALIZED (%(wanted)s)
SELECT c.id, COALESCE(p.phone, ''), CASE
    WHEN p.phone IS NULL THEN '{Reason.NO_PHONE}'
    WHEN NOT p.textable THEN '{Reason.NOT_TEXTABLE}'
    WHEN EXISTS (SELECT 1 FROM consent_optout o
        WHERE o.organization_id = c.organization_id AND o.phone = p.phone AND o.lifted_at IS NULL)
        THEN '{Reason.OPTED_OUT}'
    WHEN NOT EXISTS (SELECT 1 FROM consent_consentstate s
        WHERE s.organization_id = c.organization_id AND s.phone = p.phone AND s.program_id = %%(program)s AND s.granted)
        THEN '{Reason.NO_CONSENT}'
    WHEN EXISTS (SELECT 1 FROM messaging_message m WHERE m.campaign_id = %%(campaign)s AND m.phone = p.phone)
        THEN '{Reason.IN_OTHER_OUTREACH}'
    ELSE '' END, c.time_zone, c.region, c.postcode, c.country/* fields */
FROM wanted w
JOIN contacts_contact c ON c.organization_id = %%(organization)s AND c.id = w.id
LEFT JOIN LATERAL (
    SELECT q.phone, q.textable FROM contacts_contactphone q
    WHERE q.organization_id = c.organization_id AND q.contact_id = c.id AND q.label = %%(label)s
    ORDER BY q.id LIMIT 1) p ON true
ORDER BY c.id
"""

_EVERYBODY = """
    SELECT id FROM contacts_contact WHERE organization_id = %(organization)s AND id > %(after)s
    ORDER BY id LIMIT %(limit)s
"""

# Each list gives its next members by its index: a short list costs nothing however many contacts there are.
_ON_LISTS = """
    SELECT DISTINCT l.contact_id AS id FROM unnest(%(lists)s::bigint[]) AS chosen(list_id)
    CROSS JOIN LATERAL (
        SELECT m.contact_id FROM contacts_listmember m
        WHERE m.organization_id = %(organization)s AND m.contact_list_id = chosen.list_id AND m.contact_id > %(after)s
        ORDER BY m.contact_id LIMIT %(limit)s) l
    ORDER BY id LIMIT %(limit)s
"""
