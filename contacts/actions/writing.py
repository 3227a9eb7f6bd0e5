"""Writing people, thousands at a time: what an import and every other way in for many have in common.

The rows go into a temporary table by COPY, the fastest way to hand them to PostgreSQL, and from there with one
statement into contacts, phones, list and the record of who brought them.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import StringIO

from django.db import connection

from common.sql import array_literal, fetch_all, run
from common.tenancy import current_organization_id
from contacts.models import Existing
from contacts.rules.people import COLUMNS, Person


@dataclass(frozen=True, slots=True)
class Written:
    """What became of people: so many new, changed, known without news.

    `seen` are the phones that the same import had brought before, `taken` those that stand with a contact as a work or
    other phone: the row would rename that person. Nothing was written for either.
    """

    created: int
    updated: int
    unchanged: int
    seen: frozenset[str]
    taken: frozenset[str]


def write_people(
    people: Sequence[Person], *, import_id: int, existing: Existing, list_id: int | None, now: datetime
) -> Written:
    """Insert those who are new and treat those who are known as `existing` says; each phone once.

    A phone that another transaction brought in the meantime makes the batch fail on its unique key; written again, it
    updates that contact instead.
    """
    for statement in _STAGE:
        run(statement)
    _copy(_INCOMING, ("phone", *COLUMNS, "custom"), ((one.phone, *one.values, one.custom) for one in people))
    _copy(
        _FURTHER,
        ("main", "label", "phone"),
        ((one.phone, label, phone) for one in people for label, phone in one.others),
    )
    parameters = {
        "organization": current_organization_id(),
        "import": import_id,
        "list": list_id,
        "now": now,
        "keep": existing == Existing.KEEP,
    }
    ((created, known, written, seen, taken),) = fetch_all(_WRITE[existing], parameters)
    if any(one.others for one in people):
        run(_WRITE_FURTHER, parameters)
    return Written(
        created, written - created, known - (written - created), frozenset(seen or ()), frozenset(taken or ())
    )


def write_apart(people: Sequence[Person], *, import_id: int) -> Written:
    """Keep people for one campaign, without making contacts of them; each phone once."""
    run(_STAGE_INCOMING)
    run(f"DELETE FROM {_INCOMING}")
    _copy(_INCOMING, ("phone", *COLUMNS, "custom"), ((one.phone, *one.values, one.custom) for one in people))
    rows = fetch_all(_WRITE_APART, {"organization": current_organization_id(), "import": import_id})
    fresh = {phone for (phone,) in rows}
    return Written(0, 0, len(fresh), frozenset(one.phone for one in people) - fresh, frozenset())


def taken_among(phones: Sequence[str], *, import_id: int) -> frozenset[str]:
    """Which of these phones stand with a contact as a work or other phone, and not because this import says so."""
    return frozenset(
        phone
        for (phone,) in fetch_all(
            _TAKEN, {"organization": current_organization_id(), "import": import_id, "phones": array_literal(phones)}
        )
    )


def _copy(table: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    buffer = StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows(rows)  # quoted, an empty text is no NULL
    buffer.seek(0)
    with connection.cursor() as cursor, connection.wrap_database_errors:
        cursor.cursor.copy_expert(f"COPY {table} ({', '.join(columns)}) FROM STDIN WITH (FORMAT csv)", buffer)


_INCOMING, _FURTHER = "incoming_people", "incoming_phones"
_FIELDS = ", ".join(COLUMNS)
_TEXTS = ", ".join(f"{column} text" for column in COLUMNS)

# Every row is looked up by its index. Of an organization whose first import this is the planner would expect one row,
# and read all of its phones for each look-up: it is asked by a sub-select, whose value the planner does not know.
_OURS = "(SELECT %(organization)s::bigint)"

_STAGE_INCOMING = (
    f"CREATE TEMPORARY TABLE IF NOT EXISTS {_INCOMING} (phone text, {_TEXTS}, custom jsonb) ON COMMIT DROP"
)
_STAGE = (
    _STAGE_INCOMING,
    f"CREATE TEMPORARY TABLE IF NOT EXISTS {_FURTHER} (main text, label text, phone text) ON COMMIT DROP",
    # Where one transaction writes twice:
    f"DELETE FROM {_INCOMING}",
    f"DELETE FROM {_FURTHER}",
)

_TAKE_OVER = ", ".join(f"{column} = COALESCE(NULLIF(excluded.{column}, ''), c.{column})" for column in COLUMNS)
_FILL_IN = ", ".join(f"{column} = COALESCE(NULLIF(c.{column}, ''), excluded.{column})" for column in COLUMNS)
_NEWS = " OR ".join(f"excluded.{column} NOT IN ('', c.{column})" for column in COLUMNS)
_BLANKS = " OR ".join(f"(c.{column} = '' AND excluded.{column} <> '')" for column in COLUMNS)


def _statement(changes: str, condition: str) -> str:
    # Ids are drawn first, so that contact and phone go in with one statement. Those who are known conflict with
    # themselves: an UPDATE would be joined in whichever order the planner guesses.
    return f"""
WITH known AS MATERIALIZED (
    SELECT g.*, p.contact_id, p.label, i.seen FROM {_INCOMING} g
    LEFT JOIN LATERAL (
        SELECT q.contact_id, q.label FROM contacts_contactphone q
        WHERE q.organization_id = {_OURS} AND q.phone = g.phone LIMIT 1) p ON true
    LEFT JOIN LATERAL (
        SELECT true AS seen FROM contacts_importedcontact b
        WHERE b.import_id = %(import)s AND b.phone = g.phone LIMIT 1) i ON true
), people AS MATERIALIZED (
    SELECT k.*, COALESCE(k.contact_id, nextval('contacts_contact_id_seq')) AS id FROM known k
    WHERE k.seen IS NULL AND (k.label IS NULL OR k.label = 'MOBILE')
), written AS (
    INSERT INTO contacts_contact AS c (id, organization_id, {_FIELDS}, custom, created_at, updated_at)
    -- A contact with two mobile phones may stand in the file twice: the first row counts.
    SELECT DISTINCT ON (id) id, %(organization)s, {_FIELDS}, custom, %(now)s, %(now)s FROM people ORDER BY id
    ON CONFLICT (id) DO UPDATE SET updated_at = %(now)s, {changes} WHERE {condition}
    RETURNING c.id
), phoned AS (
    INSERT INTO contacts_contactphone (organization_id, contact_id, label, phone, textable)
    SELECT %(organization)s, id, 'MOBILE', phone, true FROM people WHERE contact_id IS NULL
), searched AS (
    INSERT INTO contacts_unindexed (organization_id, contact_ids)
    SELECT %(organization)s, array_agg(id) FROM written HAVING count(*) > 0
), listed AS (
    INSERT INTO contacts_listmember (organization_id, contact_list_id, contact_id)
    SELECT %(organization)s, %(list)s::bigint, id FROM people WHERE %(list)s::bigint IS NOT NULL
    ON CONFLICT DO NOTHING
), noted AS (
    INSERT INTO contacts_importedcontact (organization_id, import_id, phone, contact_id, created)
    SELECT %(organization)s, %(import)s, phone, id, contact_id IS NULL FROM people
)
SELECT (SELECT count(*) FROM people WHERE contact_id IS NULL),
    (SELECT count(*) FROM people WHERE contact_id IS NOT NULL), (SELECT count(*) FROM written),
    (SELECT array_agg(phone) FROM known WHERE seen),
    (SELECT array_agg(phone) FROM known WHERE seen IS NULL AND label <> 'MOBILE')
"""


_WRITE = {
    Existing.UPDATE: _statement(
        f"{_TAKE_OVER}, custom = c.custom || excluded.custom", f"{_NEWS} OR NOT c.custom @> excluded.custom"
    ),
    Existing.FILL: _statement(
        f"{_FILL_IN}, custom = excluded.custom || c.custom",
        f"{_BLANKS} OR excluded.custom - ARRAY(SELECT jsonb_object_keys(c.custom)) <> '{{}}'",
    ),
    Existing.KEEP: _statement("custom = c.custom", "false"),
}

_WRITE_APART = f"""
INSERT INTO contacts_importedperson (organization_id, import_id, phone, {_FIELDS}, custom)
SELECT %(organization)s, %(import)s, phone, {_FIELDS}, custom FROM {_INCOMING}
ON CONFLICT (import_id, phone) DO NOTHING RETURNING phone
"""

# Of a person whom this import brought; a phone that stands with somebody already stays there.
_WRITE_FURTHER = f"""
WITH written AS (
    INSERT INTO contacts_contactphone (organization_id, contact_id, label, phone, textable)
    SELECT DISTINCT ON (f.phone) %(organization)s, p.contact_id, f.label, f.phone, true
    FROM {_FURTHER} f
    CROSS JOIN LATERAL (
        SELECT b.contact_id FROM contacts_importedcontact b
        WHERE b.import_id = %(import)s AND b.phone = f.main AND (b.created OR NOT %(keep)s) LIMIT 1) p
    ORDER BY f.phone
    ON CONFLICT (organization_id, phone) DO NOTHING
    RETURNING contact_id
)
INSERT INTO contacts_unindexed (organization_id, contact_ids)
SELECT %(organization)s, array_agg(DISTINCT contact_id) FROM written HAVING count(*) > 0
"""

_TAKEN = f"""
SELECT p.phone FROM contacts_contactphone p
WHERE p.organization_id = {_OURS} AND p.phone = ANY(%(phones)s::text[]) AND p.label <> 'MOBILE'
    AND NOT EXISTS (SELECT 1 FROM contacts_importedcontact b WHERE b.import_id = %(import)s AND b.phone = p.phone)
"""
