"""Claiming: the one statement that gives leave to send.

It locks the next messages of each stream, asks the checks of messaging.rules.kinds at this moment, and commits each
as CLAIMED or SKIPPED with the reason. The claim is committed before the carrier is called; moving the call inside
would text twice after a rollback.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from common.sql import fetch_all
from messaging.rules.kinds import CAP_DAYS, CONFIRMATION_MINUTES, CONVERSATION_DAYS, ConsentCheck, kinds_where


@dataclass(frozen=True, slots=True)
class Want:
    """How many segments of a stream's messages after `after_id` its number can send now; at least one message.

    `at_most` messages are taken of this stream, whatever its number could send.
    """

    stream_id: int
    number_id: int
    after_id: int
    segments: int
    at_most: int = 1_000_000


class Claim(NamedTuple):
    """A message on which leave was decided: sendable where `state` is CLAIMED, else left out for `reason`."""

    message_id: int
    stream_id: int
    number_id: int
    account_id: int
    phone: str
    body: str
    segments: int
    state: str
    reason: str
    organization_id: int
    media_ids: Sequence[int]


def claim_due(wants: Sequence[Want], *, claim_id: UUID, now: datetime) -> list[Claim]:
    """Claim what the wants ask for, by priority, streams of equal priority taking turns. Runs across organizations."""
    if not wants:
        return []
    rows = fetch_all(
        _CLAIM,
        _CHECKED_KINDS
        | {
            "streams": [want.stream_id for want in wants],
            "numbers": [want.number_id for want in wants],
            "after": [want.after_id for want in wants],
            "segments": [want.segments for want in wants],
            "at_most": [want.at_most for want in wants],
            "claim": claim_id,
            "now": now,
        },
    )
    return [Claim._make(row) for row in rows]


_CHECKED_KINDS = {
    "opt_out_kinds": kinds_where(lambda checks: checks.opt_out),
    "program_kinds": kinds_where(lambda checks: checks.consent is ConsentCheck.PROGRAM),
    "conversation_kinds": kinds_where(lambda checks: checks.consent is ConsentCheck.CONVERSATION),
    "request_kinds": kinds_where(lambda checks: checks.consent is ConsentCheck.REQUEST),
    "unasked_kinds": kinds_where(lambda checks: checks.consent in (ConsentCheck.PROGRAM, ConsentCheck.REQUEST)),
    "duplicate_kinds": kinds_where(lambda checks: checks.duplicates),
    "credit_kinds": kinds_where(lambda checks: checks.credit),
    "conversation_days": CONVERSATION_DAYS,
    "cap_days": CAP_DAYS,
    "confirmation_minutes": CONFIRMATION_MINUTES,
}

# The recent texts are written in the order of their key, so two claims of one organization cannot wait in a circle.
_CLAIM = """
WITH wanted AS (
    SELECT * FROM unnest(%(streams)s::bigint[], %(numbers)s::bigint[], %(after)s::bigint[], %(segments)s::int[],
        %(at_most)s::int[]) AS w(stream_id, number_id, after_id, segments, at_most)
), locked AS MATERIALIZED (
    SELECT s.id AS stream_id, s.kind, s.priority, s.program_id, s.media_ids, w.segments AS wanted,
        o.duplicate_window_hours, g.monthly_cap, m.*
    FROM wanted w
    JOIN messaging_stream s ON s.id = w.stream_id AND s.state = 'OPEN'
        AND (s.open_from IS NULL OR s.open_from <= %(now)s)
        AND (s.open_until IS NULL OR s.open_until > %(now)s)
        AND (s.ends_at IS NULL OR s.ends_at > %(now)s)
    JOIN senders_sendernumber n ON n.id = w.number_id AND n.id = s.sender_number_id AND n.status = 'REGISTERED'
    JOIN accounts_organization o ON o.id = s.organization_id
    LEFT JOIN consent_program g ON g.id = s.program_id
    CROSS JOIN LATERAL (
        SELECT q.id, q.organization_id, q.sender_number_id, q.carrier_account_id, q.reservation_id, q.phone, q.body,
               q.segments, q.credits, q.digest, q.reply_key, q.created_at
        FROM messaging_message q
        WHERE q.stream_id = w.stream_id AND q.state = 'QUEUED' AND q.id > w.after_id
        ORDER BY q.id LIMIT LEAST(w.segments, w.at_most) FOR NO KEY UPDATE SKIP LOCKED
    ) m
), turns AS (
    SELECT l.*, row_number() OVER (PARTITION BY stream_id ORDER BY id) AS turn FROM locked l
), picked AS MATERIALIZED (
    SELECT * FROM (
        SELECT t.*, sum(segments) OVER (PARTITION BY sender_number_id ORDER BY priority, turn, stream_id)
            - segments AS before
        FROM turns t
    ) ordered WHERE before < wanted
), over_cap AS MATERIALIZED (
    -- What is under way counts as well, and so does what stands before it in this very claim.
    SELECT r.id FROM (
        SELECT p.*, row_number() OVER (
            PARTITION BY organization_id, phone, program_id ORDER BY priority, turn, stream_id) - 1 AS earlier
        FROM picked p WHERE p.monthly_cap IS NOT NULL AND p.kind = ANY(%(program_kinds)s)
    ) r
    WHERE r.monthly_cap <= r.earlier + (
        SELECT count(*) FROM messaging_message t JOIN messaging_stream ts ON ts.id = t.stream_id
        WHERE t.organization_id = r.organization_id AND t.phone = r.phone
            AND (t.captured OR t.state IN ('CLAIMED', 'UNKNOWN'))
            AND ts.program_id = r.program_id AND t.claimed_at > %(now)s - make_interval(days => %(cap_days)s))
), judged AS MATERIALIZED (
    SELECT p.*, CASE
        WHEN p.kind = ANY(%(opt_out_kinds)s) AND EXISTS (
            SELECT 1 FROM consent_optout x
            WHERE x.organization_id = p.organization_id AND x.phone = p.phone AND x.lifted_at IS NULL
        ) THEN 'opted_out'
        WHEN p.kind = ANY(%(opt_out_kinds)s) AND EXISTS (
            SELECT 1 FROM consent_carrierblock b
            WHERE b.sender_number_id = p.sender_number_id AND b.phone = p.phone AND b.lifted_at IS NULL
        ) THEN 'blocked'
        WHEN p.kind = 'COMPLIANCE' AND p.reply_key LIKE '%%:STOPPED'
            AND p.created_at < %(now)s - make_interval(mins => %(confirmation_minutes)s) THEN 'too_late'
        -- A welcome waits as long as the number does: who has said stop meanwhile gets the confirmation of that alone.
        WHEN p.kind = 'COMPLIANCE' AND p.reply_key LIKE '%%:ASKED' AND NOT EXISTS (
            SELECT 1 FROM consent_optinrequest w WHERE w.organization_id = p.organization_id AND w.phone = p.phone
                AND w.message_id = p.id AND w.state = 'WAITING'
        ) THEN 'not_asked'
        WHEN p.kind = 'COMPLIANCE' AND p.reply_key NOT LIKE ALL (ARRAY['%%:STOPPED', '%%:HELP', '%%:ASKED'])
        AND EXISTS (
            SELECT 1 FROM consent_optout x
            WHERE x.organization_id = p.organization_id AND x.phone = p.phone AND x.lifted_at IS NULL
        ) THEN 'opted_out'
        WHEN p.kind = ANY(%(program_kinds)s) AND NOT EXISTS (
            SELECT 1 FROM consent_consentstate c WHERE c.organization_id = p.organization_id AND c.phone = p.phone
                AND c.program_id = p.program_id AND c.granted
        ) THEN 'no_consent'
        WHEN p.kind = ANY(%(unasked_kinds)s) AND EXISTS (
            SELECT 1 FROM consent_possibleoptout w
            WHERE w.organization_id = p.organization_id AND w.phone = p.phone AND w.resolved_at IS NULL
        ) THEN 'maybe_stop'
        WHEN p.id IN (SELECT id FROM over_cap) THEN 'often_enough'
        WHEN p.kind = ANY(%(request_kinds)s) AND NOT EXISTS (
            SELECT 1 FROM consent_optinrequest w WHERE w.organization_id = p.organization_id AND w.phone = p.phone
                AND w.program_id = p.program_id AND w.state = 'WAITING' AND w.expires_at > %(now)s
        ) THEN 'not_asked'
        WHEN p.kind = ANY(%(conversation_kinds)s) AND NOT EXISTS (
            SELECT 1 FROM consent_consentstate c WHERE c.organization_id = p.organization_id AND c.phone = p.phone
                AND c.program_id = 0 AND c.granted
                AND c.changed_at > %(now)s - make_interval(days => %(conversation_days)s)
        ) THEN 'conversation_over'
        WHEN p.kind = ANY(%(credit_kinds)s) AND NOT EXISTS (
            SELECT 1 FROM billing_reservation r WHERE r.id = p.reservation_id AND r.state = 'OPEN'
        ) THEN 'no_credit'
        ELSE '' END AS reason,
        p.kind = ANY(%(duplicate_kinds)s) AND p.duplicate_window_hours > 0 AS once
    FROM picked p
), first_time AS (
    INSERT INTO messaging_recenttext AS t (organization_id, phone, digest, message_id, texted_at)
    SELECT DISTINCT ON (organization_id, phone, digest) organization_id, phone, digest, id, %(now)s
    FROM judged WHERE reason = '' AND once
    ORDER BY organization_id, phone, digest, id
    ON CONFLICT (organization_id, phone, digest)
    DO UPDATE SET message_id = excluded.message_id, texted_at = excluded.texted_at
    WHERE t.message_id = excluded.message_id
        OR t.texted_at <= excluded.texted_at - (
            SELECT make_interval(hours => o.duplicate_window_hours) FROM accounts_organization o
            WHERE o.id = excluded.organization_id)
    RETURNING t.message_id
), decided AS (
    -- A subplan that is hashed: a join would be planned for the one row that the planner guesses, and take the square.
    SELECT j.*, CASE WHEN reason = '' AND once AND id NOT IN (SELECT message_id FROM first_time)
                     THEN 'duplicate' ELSE reason END AS verdict
    FROM judged j
), claimed AS (
    UPDATE messaging_message m SET
        state = CASE WHEN d.verdict = '' THEN 'CLAIMED' ELSE 'SKIPPED' END,
        reason = d.verdict,
        claim_id = CASE WHEN d.verdict = '' THEN %(claim)s::uuid END,
        claimed_at = %(now)s,
        settled_at = CASE WHEN d.verdict = '' THEN NULL ELSE %(now)s::timestamptz END
    FROM decided d WHERE m.id = d.id
    RETURNING m.id, m.stream_id, m.sender_number_id, m.carrier_account_id, m.phone, m.body, m.segments, m.state,
              m.reason, m.organization_id, m.credits, d.priority, d.turn, d.media_ids
), counted AS (
    INSERT INTO messaging_outcomedelta (organization_id, stream_id, state, messages, segments, credits)
    SELECT organization_id, stream_id, v.state, v.sign * count(*), v.sign * sum(segments), v.sign * sum(credits)
    FROM claimed, (VALUES ('QUEUED', -1), ('SKIPPED', 1)) AS v(state, sign)
    WHERE claimed.state = 'SKIPPED' GROUP BY organization_id, stream_id, v.state, v.sign
)
SELECT id, stream_id, sender_number_id, carrier_account_id, phone, body, segments, state, reason, organization_id,
    media_ids
FROM claimed ORDER BY priority, turn, stream_id
"""
