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

from accounts.models import Organization
from accounts.queries import current_organization
from common.sql import fetch_all, run
from common.tenancy import organization_scope
from consent.actions import Inbound, ReplyKind, Wish, note_request_text, obey_inbound, opt_out_ahead
from consent.queries import stop_words_of, stops_among
from consent.rules.keywords import Keyword, keyword_of, readings
from events.actions import publish
from messaging.actions.outcomes import follow_errors
from messaging.actions.queueing import queue_compliance_reply
from messaging.actions.settling import Settlement, settle
from messaging.gateways.base import CarrierMessage
from messaging.gateways.twilio.callbacks import STATES, keyword_told
from messaging.models import InboundText, Message
from messaging.queries.progress import last_program, may_have_reached
from messaging.rules.states import HANDED_OVER, MOVES, State
from senders.models import CarrierAccount, SenderKind, SenderNumber

log = structlog.get_logger(__name__)

RECEIPTS_BATCH = 500
INBOUND_BATCH = 8
"""Few: the commit of a batch stands before the next STOPs are obeyed."""
INBOUND_OF_SOME = 64
"""Most texts in one commit of the first people who say STOP."""
STOPS_BATCH = 1000
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
    words = [readings(item.form.get("Body", "")[:LONGEST_KEYWORD]) for item in received]
    stops = stops_among([word for both in words for word in both])
    _append(
        "INSERT INTO messaging_carrierinbound (account_sid, phone, urgent, form, received_at) VALUES %s",
        [
            (
                item.account_sid,
                item.form.get("From", "")[:LONGEST_PHONE],
                not stops.isdisjoint(both) or keyword_told(item.form) == Keyword.STOP,
                Json(item.form),
                now,
            )
            for item, both in zip(received, words, strict=True)
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


def obey_stops(*, now: datetime) -> int:
    """Stop the texts to everybody whose STOP has come, however much waits before it; return how many were looked at.

    `apply_inbound` goes through the same texts afterwards, one by one. Runs across organizations.
    """
    rows = fetch_all(_OBEY_INBOUND, [STOPS_BATCH])
    texts = _texts(rows)
    accounts = {text.number.carrier_account_id for text in texts}
    told = InboundText.objects.filter(carrier_account_id__in=accounts, sid__in=[text.sid for text in texts])
    known = set(told.values_list("carrier_account_id", "sid"))
    own = stop_words_of({text.number.id for text in texts})
    wishes: dict[int, list[Wish]] = defaultdict(list)
    for text in texts:
        # The carrier says things twice: an old STOP is no new one after a START.
        fresh = (text.number.carrier_account_id, text.sid) not in known
        stops = Keyword.STOP in (text.told, keyword_of(text.body, stop_words=own[text.number.id]))
        if fresh and stops:
            wishes[text.number.organization_id].append(Wish(text.phone, text.received_at, text.sid))
    narrow = Organization.objects.filter(id__in=list(wishes), stop_scope="PROGRAM").values_list("id", flat=True)
    for organization_id in narrow if wishes else ():
        wishes.pop(organization_id)  # there it is no wish to stop everything: `apply_inbound` knows which program
    for organization_id, some in wishes.items():
        with organization_scope(organization_id):
            opt_out_ahead(some, now=now)
    return len(rows)


def apply_inbound(*, now: datetime) -> int:
    """Apply inbound texts, each in its organization's scope; return how many. Runs across organizations.

    Of people who say STOP first, else the oldest.
    """
    rows = fetch_all(_TAKE_INBOUND, {"limit": INBOUND_BATCH, "of_some": INBOUND_OF_SOME})
    by_organization: dict[int, list[_Text]] = defaultdict(list)
    for text in _texts(rows):
        by_organization[text.number.organization_id].append(text)
    for organization_id, texts in by_organization.items():
        with organization_scope(organization_id):
            organization = current_organization()
            for text in texts:
                _receive_text(text, now, organization)
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
            text = _Text(number, one.sid, one.sender, one.body, told=None, received_at=one.created_at)
            with organization_scope(number.organization_id):
                _receive_text(text, now, current_organization(), answer=False)
    return len(fresh)


@dataclass(frozen=True, slots=True)
class _Text:
    """A text to one of our numbers; `told`: what the carrier has taken it for, and answered."""

    number: SenderNumber
    sid: str
    phone: str
    body: str
    told: Keyword | None
    received_at: datetime


def _texts(rows: Sequence[tuple[Any, ...]]) -> list[_Text]:
    """The texts that rows of the queue tell of; what no phone can have sent is set aside, in the log."""
    numbers: dict[tuple[str, str], SenderNumber | None] = {}
    found = []
    for account_sid, raw, received_at in rows:
        form = json.loads(raw)
        sid, phone, to = form.get("MessageSid", ""), form.get("From", ""), form.get("To", "")
        if not (0 < len(sid) <= LONGEST_SID and 0 < len(phone) <= LONGEST_PHONE):
            log.error("inbound_set_aside", sid=sid[:LONGEST_SID])  # else everybody's would wait
            continue
        if (account_sid, to) not in numbers:
            of_account = SenderNumber.objects.filter(carrier_account__account_sid=account_sid, sender=to)
            numbers[account_sid, to] = of_account.first()
        number = numbers[account_sid, to]
        if number is not None:  # a number given back to the carrier may still be texted
            told = Keyword(word) if (word := keyword_told(form)) else None
            found.append(_Text(number, sid, phone, form.get("Body", ""), told, received_at))
    return found


def _receive_text(text: _Text, now: datetime, organization: Organization, *, answer: bool = True) -> None:
    number = text.number
    # One statement, where looking first and a savepoint would be four: of two hundred STOPs the last one waits.
    fresh = fetch_all(
        _WRITE_INBOUND,
        {
            "organization": number.organization_id,
            "number": number.id,
            "account": number.carrier_account_id,
            "sid": text.sid,
            "phone": text.phone,
            "body": text.body,
            "received_at": text.received_at,
        },
    )
    if not fresh:
        return
    replies = obey_inbound(
        Inbound(
            phone=text.phone,
            sender_number_id=number.id,
            toll_free=number.kind == SenderKind.TOLL_FREE,
            body=text.body,
            sid=text.sid,
            carrier_keyword=text.told,
            received_at=text.received_at,
            organization_name=organization.name,
            stop_scope=organization.stop_scope,
            last_program_id=last_program(text.phone, number.id, before=text.received_at)
            if organization.stop_scope != "ALL"
            else 0,
            has_reached=may_have_reached,
        ),
        now=now,
    )
    for reply in replies if answer else ():
        reply_key = f"{text.sid}:{reply.kind}"
        queue_compliance_reply(number, phone=text.phone, body=reply.text, reply_key=reply_key, now=now)
        if reply.kind is ReplyKind.ASKED:
            note_request_text(text.sid, message_id=Message.objects.get(reply_key=reply_key).id)
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

_OBEY_INBOUND = """
WITH waiting AS (
    SELECT id FROM messaging_carrierinbound WHERE urgent AND NOT obeyed ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
), obeyed AS (
    UPDATE messaging_carrierinbound i SET obeyed = true FROM waiting WHERE i.id = waiting.id
    RETURNING i.id, i.account_sid, i.form, i.received_at
)
SELECT account_sid, form, received_at FROM obeyed ORDER BY id
"""

# All that these people wrote in one commit: between their START and their STOP nobody texts them.
_TAKE_INBOUND = """
WITH urgent AS MATERIALIZED (
    SELECT account_sid, phone FROM messaging_carrierinbound WHERE urgent ORDER BY id LIMIT %(limit)s
), taken AS (
    SELECT id FROM messaging_carrierinbound
    WHERE (account_sid, phone) IN (SELECT account_sid, phone FROM urgent) OR NOT EXISTS (SELECT 1 FROM urgent)
    ORDER BY id
    LIMIT CASE WHEN EXISTS (SELECT 1 FROM urgent) THEN %(of_some)s ELSE %(limit)s END FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM messaging_carrierinbound i USING taken WHERE i.id = taken.id
    RETURNING i.id, i.account_sid, i.form, i.received_at
)
SELECT account_sid, form, received_at FROM gone ORDER BY id
"""

_WRITE_INBOUND = """
INSERT INTO messaging_inboundtext
    (organization_id, sender_number_id, carrier_account_id, sid, phone, body, received_at)
VALUES (%(organization)s, %(number)s, %(account)s, %(sid)s, %(phone)s, %(body)s, %(received_at)s)
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
