"""Consent that an import states: one statement for the file, one narrow record for each phone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from common.actor import Actor
from common.errors import DomainError
from common.sql import array_literal, fetch_all, run
from common.tenancy import current_organization_id
from consent.models import Action, ConsentRecord, ImportStatement, Program
from consent.rules.media import MEDIA, Level, Medium, may_grant
from consent.rules.projection import UNDO, Fact, Standing, project
from consent.rules.seals import digest_of_words
from content.models import StoredFile


class StatementRefused(DomainError):
    code = "statement_refused"


@dataclass(frozen=True, slots=True)
class Granted:
    """`kept_opted_out` are phones that said stop: no import makes them textable again.

    `kept_withdrawn` have taken this consent back, and the file cannot say that they agreed to it since.
    """

    phones: int
    kept_opted_out: int
    kept_withdrawn: int = 0


def state_import(
    *,
    program: Program,
    medium: Medium | None,
    agreed_at: datetime,
    how: str,
    actor: Actor,
    now: datetime,
    evidence: StoredFile | None = None,
) -> ImportStatement:
    """Note what a person states of the consent of a file; `medium` None: its rows say so, each its own.

    `evidence` proves it of all of them: a picture of the form, such as they ticked.

    Raises StatementRefused.
    """
    if not how.strip():
        raise StatementRefused("Say how these people agreed: where, and to what. Without it nothing is imported.")
    if agreed_at > now:
        raise StatementRefused("The day on which they agreed lies in the future. Enter when they agreed at the latest.")
    level = Level(program.level)
    if medium is not None and not may_grant(medium, level):
        ways = ", ".join(rule.label for rule in MEDIA.values() if level in rule.grants)
        raise StatementRefused(
            f"“{MEDIA[medium].label}” is not enough for {level.lower()} messages. They need one of: {ways}."
        )
    statement: ImportStatement = ImportStatement.objects.create(
        organization_id=current_organization_id(),
        program=program,
        program_version=program.opt_in_version,
        medium=medium or "",
        agreed_at=agreed_at,
        how=how.strip(),
        words_sha256=digest_of_words(program.opt_in_text),
        evidence=evidence,
        evidence_sha256=evidence.sha256 if evidence else None,
        actor_label=actor.label,
        created_at=now,
    )
    return statement


def grant_by_import(
    statement: ImportStatement, phones: Sequence[str], *, now: datetime, own: Sequence[tuple[datetime, Medium]] = ()
) -> Granted:
    """Write the records of some of the file's phones. Safe to repeat: a phone is recorded once for each statement.

    `own` says of each phone when and how its owner agreed, where the statement does not say it of all; a later row with
    a newer day is recorded as well.
    """
    said = {"times": [at for at, _ in own], "media": [medium.value for _, medium in own]}
    ((recorded, opted_out, withdrawn),) = fetch_all(_GRANT, _parameters(statement, phones, now) | said)
    return Granted(phones=recorded, kept_opted_out=opted_out, kept_withdrawn=withdrawn)


def undo_statement(statement: ImportStatement, *, actor: Actor, now: datetime) -> None:
    """What this import stated counts for nothing from now on; `withdraw_records` takes it back phone by phone."""
    if ImportStatement.objects.filter(id=statement.id, undone_at=None).update(undone_at=now):
        ConsentRecord.objects.create(
            organization_id=statement.organization_id,
            phone="",
            program_id=statement.program_id,
            action=Action.UNDO,
            occurred_at=now,
            medium=UNDO,
            note=f"import statement {statement.id}",
            actor_label=actor.label,
            recorded_at=now,
        )


def withdraw_records(
    statement: ImportStatement, *, after_id: int, limit: int, actor: Actor, now: datetime
) -> tuple[int, int]:
    """Take back the next records of an undone statement; return how many and the id of the last.

    The state of each phone becomes what its other records come to, so that what else says that they agreed stays, and
    a later import counts.
    """
    records = ConsentRecord.objects.filter(import_statement_id=statement.id, id__gt=after_id).order_by("id")
    found = list(records.values_list("id", "phone")[:limit])
    phones = sorted({phone for _, phone in found})
    values = {"organization": statement.organization_id, "program": statement.program_id, "phones": phones}
    held = dict(fetch_all(_HOLD, values))
    facts: dict[str, list[Fact]] = {phone: [] for phone in held}
    for phone, *columns in fetch_all(_FACTS, values | {"phones": list(held)}):
        facts[phone].append(Fact(statement.program_id, *columns))
    due = {phone: project(known).programs.get(statement.program_id, Standing()) for phone, known in facts.items()}
    lost = [phone for phone, granted in held.items() if granted and not due[phone].granted]
    run(
        _SET,
        values
        | {
            "phones": list(due),
            "granted": [standing.granted for standing in due.values()],
            "stopped": [standing.stopped for standing in due.values()],
            "times": [standing.changed_at for standing in due.values()],
        },
    )
    run(_NOTE, values | {"phones": lost, "undo": UNDO, "by": actor.label, "now": now})
    return len(found), found[-1][0] if found else after_id


def complete_statement(statement: ImportStatement, *, now: datetime) -> None:
    """Say that the file is through: the sealer takes the statement's records as one link."""
    ImportStatement.objects.filter(id=statement.id, completed_at=None).update(completed_at=now)


def _parameters(statement: ImportStatement, phones: Sequence[str], now: datetime) -> dict[str, object]:
    return {
        "organization": statement.organization_id,
        "phones": array_literal(phones),
        "program": statement.program_id,
        "version": statement.program_version,
        "statement": statement.id,
        "medium": statement.medium,
        "of_file": bool(statement.medium),
        "agreed_at": statement.agreed_at,
        "actor": statement.actor_label,
        "now": now,
    }


# A later withdrawal outweighs an earlier agreement, whichever of the two is written down first; what somebody took back
# stays so against a day that stands for a whole file, and what they stopped against any (rules.projection). Records are
# looked up by the phone: by the statement (which "+ 0" keeps the planner from) each look-up would read all of the file
# so far; by the organization too, which a sub-select hides, for of a new one the planner expects a single row.
_GRANT = """
WITH given AS MATERIALIZED (
    SELECT u.phone, COALESCE(u.at, %(agreed_at)s) AS at, COALESCE(u.medium, %(medium)s) AS medium, o.stopped, r.known,
        o.stopped IS NULL AND r.known IS NULL AND k.withdrawn AS withdrawn
    FROM (SELECT * FROM unnest(%(phones)s::text[], %(times)s::timestamptz[], %(media)s::text[]) AS p(phone, at, medium)
        ORDER BY phone) u
    LEFT JOIN LATERAL (
        SELECT true AS stopped FROM consent_optout x
        WHERE x.organization_id = (SELECT %(organization)s::bigint) AND x.phone = u.phone AND x.lifted_at IS NULL
        LIMIT 1) o ON true
    LEFT JOIN LATERAL (
        SELECT true AS known FROM consent_consentrecord x
        WHERE x.organization_id = (SELECT %(organization)s::bigint) AND x.phone = u.phone
            AND x.import_statement_id + 0 = %(statement)s AND x.occurred_at >= COALESCE(u.at, %(agreed_at)s)
        LIMIT 1) r ON true
    LEFT JOIN LATERAL (
        SELECT true AS withdrawn FROM consent_consentstate x
        WHERE x.organization_id = (SELECT %(organization)s::bigint) AND x.phone = u.phone
            AND x.program_id = %(program)s AND NOT x.granted
            AND (x.stopped OR (u.at IS NULL AND x.changed_at > 'epoch'))
        LIMIT 1) k ON true
), recorded AS (
    INSERT INTO consent_consentrecord
        (organization_id, phone, program_id, action, occurred_at, medium, program_version, import_statement_id,
         actor_label, recorded_at)
    SELECT %(organization)s, phone, %(program)s, 'GRANT', at, medium, %(version)s, %(statement)s, %(actor)s, %(now)s
    FROM given WHERE stopped IS NULL AND known IS NULL AND withdrawn IS NOT TRUE
    RETURNING phone
), projected AS (
    INSERT INTO consent_consentstate AS s (organization_id, phone, program_id, granted, changed_at, stopped)
    SELECT %(organization)s, phone, %(program)s, true, at, false
    FROM given WHERE stopped IS NULL AND known IS NULL AND withdrawn IS NOT TRUE
    ON CONFLICT (organization_id, phone, program_id)
    DO UPDATE SET granted = true, changed_at = excluded.changed_at, stopped = false
    WHERE s.changed_at < excluded.changed_at
        AND (s.granted OR NOT (s.stopped OR (%(of_file)s AND s.changed_at > 'epoch')))
)
SELECT (SELECT count(*) FROM recorded), (SELECT count(*) FROM given WHERE stopped),
    (SELECT count(*) FROM given WHERE withdrawn)
"""

_HOLD = """
SELECT s.phone, s.granted FROM unnest(%(phones)s::text[]) AS p(phone)
CROSS JOIN LATERAL (
    SELECT x.phone, x.granted FROM consent_consentstate x
    WHERE x.organization_id = (SELECT %(organization)s::bigint) AND x.phone = p.phone AND x.program_id = %(program)s
    LIMIT 1 FOR NO KEY UPDATE) s
"""

_FACTS = """
SELECT p.phone, r.action, r.occurred_at, r.medium, r.undone, r.imported, r.of_file
FROM unnest(%(phones)s::text[]) AS p(phone)
CROSS JOIN LATERAL (
    SELECT x.id, x.action, x.occurred_at, x.medium, t.undone_at IS NOT NULL AS undone,
        x.import_statement_id IS NOT NULL AS imported, COALESCE(t.medium, '') <> '' AS of_file
    FROM consent_consentrecord x
    LEFT JOIN consent_importstatement t ON t.id = x.import_statement_id
    WHERE x.organization_id = (SELECT %(organization)s::bigint) AND x.phone = p.phone AND x.program_id = %(program)s
) r
ORDER BY p.phone, r.id
"""

_SET = """
UPDATE consent_consentstate s SET granted = d.granted, stopped = d.stopped, changed_at = d.at
FROM unnest(%(phones)s::text[], %(granted)s::bool[], %(stopped)s::bool[], %(times)s::timestamptz[])
    AS d(phone, granted, stopped, at)
WHERE s.organization_id = %(organization)s AND s.phone = d.phone AND s.program_id = %(program)s
"""

_NOTE = """
INSERT INTO consent_consentrecord
    (organization_id, phone, program_id, action, occurred_at, medium, actor_label, recorded_at)
SELECT %(organization)s, p.phone, %(program)s, 'WITHDRAW', %(now)s, %(undo)s, %(by)s, %(now)s
FROM unnest(%(phones)s::text[]) AS p(phone)
"""
