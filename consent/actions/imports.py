"""Consent that an import states: one statement for the file, one narrow record for each phone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from common.actor import Actor
from common.errors import DomainError
from common.sql import array_literal, fetch_all, run
from common.tenancy import current_organization_id
from consent.models import ImportStatement, Program
from consent.rules.media import MEDIA, Level, Medium, may_grant


class StatementRefused(DomainError):
    code = "statement_refused"


@dataclass(frozen=True, slots=True)
class Granted:
    """`kept_opted_out` are phones that said stop: no import makes them textable again."""

    phones: int
    kept_opted_out: int


def state_import(
    *, program: Program, medium: Medium, agreed_at: datetime, how: str, actor: Actor, now: datetime
) -> ImportStatement:
    """Note what a person states of the consent of a file. Raises StatementRefused."""
    if not how.strip():
        raise StatementRefused("Say how these people agreed: where, and to what. Without it nothing is imported.")
    if agreed_at > now:
        raise StatementRefused("The day on which they agreed lies in the future. Enter when they agreed at the latest.")
    level = Level(program.level)
    if not may_grant(medium, level):
        ways = ", ".join(rule.label for rule in MEDIA.values() if level in rule.grants)
        raise StatementRefused(
            f"“{MEDIA[medium].label}” is not enough for {level.lower()} messages. They need one of: {ways}."
        )
    statement: ImportStatement = ImportStatement.objects.create(
        organization_id=current_organization_id(),
        program=program,
        program_version=program.opt_in_version,
        medium=medium,
        agreed_at=agreed_at,
        how=how.strip(),
        actor_label=actor.label,
        created_at=now,
    )
    return statement


def grant_by_import(statement: ImportStatement, phones: Sequence[str], *, now: datetime) -> Granted:
    """Write the records of some of the file's phones. Safe to repeat: a phone is recorded once for each statement."""
    ((recorded, opted_out),) = fetch_all(_GRANT, _parameters(statement, phones, now))
    return Granted(phones=recorded, kept_opted_out=opted_out)


def withdraw_import(statement: ImportStatement, phones: Sequence[str], *, actor: Actor, now: datetime) -> int:
    """Take back what an import stated of these phones, where nothing else says that they agreed; return how many."""
    withdrawn = run(
        _WITHDRAW, _parameters(statement, phones, now) | {"actor": actor.label, "medium": WITHDRAWN_BY_UNDOING}
    )
    return withdrawn


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
        "agreed_at": statement.agreed_at,
        "actor": statement.actor_label,
        "now": now,
    }


WITHDRAWN_BY_UNDOING = "UNDO"

# A later withdrawal outweighs an earlier agreement, whichever of the two is written down first. Records are looked up
# by the phone: by the statement (which "+ 0" keeps the planner from) each look-up would read all of the file so far; by
# the organization too, which a sub-select hides, for of a new one the planner expects a single row.
_GRANT = """
WITH given AS MATERIALIZED (
    SELECT u.phone, o.stopped, r.known FROM (SELECT phone FROM unnest(%(phones)s::text[]) AS p(phone) ORDER BY phone) u
    LEFT JOIN LATERAL (
        SELECT true AS stopped FROM consent_optout x
        WHERE x.organization_id = (SELECT %(organization)s::bigint) AND x.phone = u.phone AND x.lifted_at IS NULL
        LIMIT 1) o ON true
    LEFT JOIN LATERAL (
        SELECT true AS known FROM consent_consentrecord x
        WHERE x.organization_id = (SELECT %(organization)s::bigint) AND x.phone = u.phone
            AND x.import_statement_id + 0 = %(statement)s
        LIMIT 1) r ON true
), recorded AS (
    INSERT INTO consent_consentrecord
        (organization_id, phone, program_id, action, occurred_at, medium, program_version, import_statement_id,
         actor_label, recorded_at)
    SELECT %(organization)s, phone, %(program)s, 'GRANT', %(agreed_at)s, %(medium)s, %(version)s, %(statement)s,
           %(actor)s, %(now)s
    FROM given WHERE stopped IS NULL AND known IS NULL
    RETURNING phone
), projected AS (
    INSERT INTO consent_consentstate AS s (organization_id, phone, program_id, granted, changed_at, stopped)
    SELECT %(organization)s, phone, %(program)s, true, %(agreed_at)s, false
    FROM given WHERE stopped IS NULL AND known IS NULL
    ON CONFLICT (organization_id, phone, program_id)
    DO UPDATE SET granted = true, changed_at = excluded.changed_at, stopped = false
    WHERE s.changed_at < excluded.changed_at
)
SELECT (SELECT count(*) FROM recorded), (SELECT count(*) FROM given WHERE stopped)
"""

_WITHDRAW = """
WITH withdrawn AS (
    UPDATE consent_consentstate s SET granted = false, stopped = false, changed_at = %(now)s
    FROM unnest(%(phones)s::text[]) AS p(phone)
    WHERE s.organization_id = %(organization)s AND s.phone = p.phone AND s.program_id = %(program)s AND s.granted
        AND EXISTS (SELECT 1 FROM consent_consentrecord r WHERE r.organization_id = %(organization)s
                    AND r.phone = p.phone AND r.import_statement_id = %(statement)s)
        AND NOT EXISTS (SELECT 1 FROM consent_consentrecord r WHERE r.organization_id = %(organization)s
                        AND r.phone = p.phone AND r.program_id = %(program)s AND r.action = 'GRANT'
                        AND r.import_statement_id IS DISTINCT FROM %(statement)s)
    RETURNING s.organization_id, s.phone, s.program_id
)
INSERT INTO consent_consentrecord
    (organization_id, phone, program_id, action, occurred_at, medium, actor_label, recorded_at)
SELECT organization_id, phone, program_id, 'WITHDRAW', %(now)s, %(medium)s, %(actor)s, %(now)s FROM withdrawn
"""
