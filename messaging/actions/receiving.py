"""What comes from the carrier: appended as it arrives, applied by consumers in batches.

`append_*` run in the carrier endpoint, `apply_*` in the consumers. A row is deleted in the transaction that applies
it; what outlives it are messages, inbound texts and delivery events.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db import DataError, IntegrityError, connection, transaction
from psycopg2.extras import Json, execute_values

from accounts.queries import current_organization
from common.sql import fetch_all, run
from common.tenancy import organization_scope
from consent.actions import obey_inbound
from consent.queries import stops_among
from consent.rules.keywords import normalise
from events.actions import publish
from messaging.actions.outcomes import follow_errors
from messaging.actions.queueing import queue_compliance_reply
from messaging.actions.settling import Settlement, settle
from messaging.gateways.base import CarrierMessage
from messaging.gateways.twilio.callbacks import STATES, inbound_was_answered
from messaging.models import InboundText
from messaging.rules.states import HANDED_OVER, MOVES, State
from senders.models import CarrierAccount, SenderKind, SenderNumber

log = structlog.get_logger(__name__)

RECEIPTS_BATCH = 500
INBOUND_BATCH = 8
"""Few: what is in a batch counts from its commit on, and a STOP must count within a second, also of two hundred."""
LONGEST_PHONE = 16
LONGEST_SID = 64
"""As they are stored; what is longer comes from no phone."""
LONGEST_KEYWORD = 100


@dataclass(frozen=True, slots=True)
class Received:
    """A verified callback: `message_id` from its address, None for inbound texts."""

    account_sid: str
    message_id: int | None
    form: dict[str, str]


def append_receipts(received: Sequence[Received], *, now: datetime) -> None:
    _append(
        "INSERT INTO messaging_carrierevent (account_sid, message_id, form, received_at) VALUES %s",
        [(item.account_sid, item.message_id, Json(item.form), now) for item in received],
    )


def append_inbound(received: Sequence[Received], *, now: datetime) -> None:
    words = [normalise(item.form.get("Body", "")[:LONGEST_KEYWORD]) for item in received]
    stops = stops_among(words)
    _append(
        "INSERT INTO messaging_carrierinbound (account_sid, phone, urgent, form, received_at) VALUES %s",
        [
            (item.account_sid, item.form.get("From", "")[:LONGEST_PHONE], word in stops, Json(item.form), now)
            for item, word in zip(received, words, strict=True)
        ],
    )


def apply_receipts(*, now: datetime) -> int:
    """Apply the oldest receipts; return how many. Runs across organizations."""
    rows = [
        (message_id, json.loads(form)) for message_id, form, ours in fetch_all(_TAKE_RECEIPTS, [RECEIPTS_BATCH]) if ours
    ]
    try:
        with transaction.atomic():
            _apply(rows, now)
    except (DataError, IntegrityError):
        # One that contradicts what we know must not hold up the others for ever: it is set aside, in the log.
        for row in rows:
            try:
                with transaction.atomic():
                    _apply([row], now)
            except (DataError, IntegrityError) as error:
                log.error("receipt_set_aside", message_id=row[0], error=type(error).__name__)
    return len(rows)


def _apply(rows: Sequence[tuple[Any, ...]], now: datetime) -> None:
    _write_delivery_events(rows, now)
    moved = settle(_furthest(rows).values(), now=now)
    follow_errors([(item, CarrierAccount.Gateway.TWILIO) for item in moved], now=now)


def apply_inbound(*, now: datetime) -> int:
    """Apply inbound texts, each in its organization's scope; return how many. Runs across organizations.

    Of people who say STOP first, else the oldest.
    """
    taken = fetch_all(_TAKE_INBOUND, {"limit": INBOUND_BATCH})
    rows = [(account_sid, json.loads(form)) for account_sid, form in taken]
    numbers = {
        (account_sid, to): SenderNumber.objects.filter(carrier_account__account_sid=account_sid, sender=to).first()
        for account_sid, to in {(account_sid, form.get("To", "")) for account_sid, form in rows}
    }
    by_organization: dict[int, list[tuple[SenderNumber, dict[str, Any]]]] = defaultdict(list)
    for account_sid, form in rows:
        number = numbers[account_sid, form.get("To", "")]
        if not (0 < len(form.get("MessageSid", "")) <= LONGEST_SID and 0 < len(form.get("From", "")) <= LONGEST_PHONE):
            log.error("inbound_set_aside", sid=form.get("MessageSid", "")[:LONGEST_SID])  # else everybody's would wait
        elif number is not None:  # a number given back to the carrier may still be texted
            by_organization[number.organization_id].append((number, form))
    for organization_id, texts in by_organization.items():
        with organization_scope(organization_id):
            name = current_organization().name
            for number, form in texts:
                _receive_text(number, form, now, organization_name=name)
    return len(rows)


def replay_inbound(account_sid: str, listed: Sequence[CarrierMessage], *, now: datetime) -> int:
    """Obey texts that a restored database does not know, oldest first; return how many. Runs across organizations.

    Nobody is answered: who wrote then was answered then.
    """
    known = InboundText.objects.filter(sid__in=[one.sid for one in listed]).values_list("sid", flat=True)
    fresh = {one.sid: one for one in listed if one.inbound}
    for sid in set(known):
        fresh.pop(sid, None)
    for one in sorted(fresh.values(), key=lambda text: text.created_at):
        number = SenderNumber.objects.filter(carrier_account__account_sid=account_sid, sender=one.phone).first()
        if number is not None:
            form = {"MessageSid": one.sid, "From": one.sender, "To": one.phone, "Body": one.body}
            with organization_scope(number.organization_id):
                _receive_text(number, form, now, organization_name="", answer=False)
    return len(fresh)


def _receive_text(
    number: SenderNumber, form: dict[str, Any], now: datetime, *, organization_name: str, answer: bool = True
) -> None:
    sid, phone, body = form["MessageSid"], form["From"], form.get("Body", "")
    # One statement, where looking first and a savepoint would be four: of two hundred STOPs the last one waits.
    fresh = fetch_all(
        _WRITE_INBOUND,
        {
            "organization": number.organization_id,
            "number": number.id,
            "account": number.carrier_account_id,
            "sid": sid,
            "phone": phone,
            "body": body,
            "now": now,
        },
    )
    if not fresh:
        return
    replies = obey_inbound(
        phone=phone,
        sender_number_id=number.id,
        toll_free=number.kind == SenderKind.TOLL_FREE,
        body=body,
        inbound_sid=sid,
        carrier_replied=inbound_was_answered(form),
        organization_name=organization_name,
        now=now,
    )
    for reply in replies if answer else ():
        queue_compliance_reply(number, phone=phone, body=reply.text, reply_key=f"{sid}:{reply.kind}", now=now)
    publish(kind="text.received", payload={"inbound_id": fresh[0][0]}, now=now)


def _furthest(rows: Sequence[tuple[Any, ...]]) -> dict[int, Settlement]:
    """One settlement for each message: the furthest that these receipts tell."""
    found: dict[int, Settlement] = {}
    for message_id, form in rows:
        state = STATES.get(form.get("MessageStatus", ""))
        if message_id is None or state is None or state not in HANDED_OVER:
            continue
        known = found.get(message_id)
        if known is None or state in MOVES[known.to]:
            found[message_id] = Settlement(
                message_id,
                state,
                sid=form.get("MessageSid", ""),
                error_code=_error_code(form),
                reason="carrier" if state is State.UNDELIVERED else "",
            )
    return found


def _error_code(form: dict[str, str]) -> int | None:
    code = form.get("ErrorCode", "")
    return int(code) if code.isdecimal() and len(code) < 9 and int(code) else None


def _write_delivery_events(rows: Sequence[tuple[Any, ...]], now: datetime) -> None:
    events = {
        (form.get("MessageSid", ""), form.get("MessageStatus", "")[:20], _error_code(form) or 0): message_id
        for message_id, form in rows
        if message_id is not None
    }
    run(
        _DELIVERY_EVENTS,
        {
            "messages": list(events.values()),
            "sids": [key[0] for key in events],
            "statuses": [key[1] for key in events],
            "codes": [key[2] for key in events],
            "now": now,
        },
    )


def _append(sql: str, rows: list[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor, connection.wrap_database_errors:
        execute_values(cursor.cursor, sql, rows, page_size=1000)


_TAKE_RECEIPTS = """
WITH taken AS (
    SELECT id FROM messaging_carrierevent ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
)
DELETE FROM messaging_carrierevent e USING taken WHERE e.id = taken.id
RETURNING e.message_id, e.form, EXISTS (
    -- Who signed it must be the account that the message went through: an account knows its own token alone.
    SELECT 1 FROM messaging_message m JOIN senders_carrieraccount a ON a.id = m.carrier_account_id
    WHERE m.id = e.message_id AND a.account_sid = e.account_sid)
"""

_TAKE_INBOUND = """
WITH urgent AS MATERIALIZED (
    SELECT account_sid, phone FROM messaging_carrierinbound WHERE urgent ORDER BY id LIMIT %(limit)s
), taken AS (
    SELECT id FROM messaging_carrierinbound
    WHERE (account_sid, phone) IN (SELECT account_sid, phone FROM urgent) OR NOT EXISTS (SELECT 1 FROM urgent)
    ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM messaging_carrierinbound i USING taken WHERE i.id = taken.id RETURNING i.id, i.account_sid, i.form
)
SELECT account_sid, form FROM gone ORDER BY id
"""

_WRITE_INBOUND = """
INSERT INTO messaging_inboundtext
    (organization_id, sender_number_id, carrier_account_id, sid, phone, body, received_at)
VALUES (%(organization)s, %(number)s, %(account)s, %(sid)s, %(phone)s, %(body)s, %(now)s)
ON CONFLICT (carrier_account_id, sid) DO NOTHING RETURNING id
"""

_DELIVERY_EVENTS = """
INSERT INTO messaging_deliveryevent (organization_id, message_id, source, sid, status, error_code, occurred_at)
SELECT m.organization_id, m.id, 'RECEIPT', e.sid, e.status, e.code, %(now)s
FROM unnest(%(messages)s::bigint[], %(sids)s::text[], %(statuses)s::text[], %(codes)s::int[])
    AS e(message_id, sid, status, code)
JOIN messaging_message m ON m.id = e.message_id
ON CONFLICT DO NOTHING
"""
