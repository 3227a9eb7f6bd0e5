"""The long tasks of sending and receiving. Each runs for a minute, enqueues its successor and ends; beat revives it.

Two at once, or the same message of the broker twice, do no harm: leases and row locks part the work.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import structlog
import uvloop
from celery import shared_task
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import IntegrityError, connection

from accounts.queries import organization_ids
from common.clock import now
from common.errors import TransientError
from common.locks import Overtaken, only_one
from common.tenancy import across_organizations, organization_scope
from messaging.actions import counters, opt_ins, receiving, replies, spikes, sweeping, witness
from messaging.actions.sweeping import Doubtful
from messaging.dispatcher.engine import Dispatcher
from messaging.dispatcher.shutdown import stopping
from messaging.gateways.base import CarrierMessage, Gateway
from messaging.gateways.registry import gateway_for
from senders.models import CarrierAccount
from senders.queries import Credentials, all_credentials

log = structlog.get_logger(__name__)

Found = TypeVar("Found")

POLL_SECONDS = 0.1
LOCK_SECONDS = 4.0
SWEEP_SECONDS = 4.0
WITNESS_BATCH = 500


def _until_the_minute_is_over() -> Callable[[], bool]:
    end = time.monotonic() + settings.DISPATCH_TASK_SECONDS
    return lambda: stopping() or time.monotonic() > end


@shared_task(name="messaging.dispatch")
def dispatch() -> None:
    """Serve a share of the lanes for a minute."""
    should_stop = _until_the_minute_is_over()

    async def serve() -> None:
        await Dispatcher(should_stop).run()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())
    if not stopping():
        dispatch.apply_async(queue="dispatch", expires=settings.DISPATCH_TASK_SECONDS)


@shared_task(name="messaging.consume_inbound")
def consume_inbound() -> None:
    """Apply inbound texts for a minute, each within a fraction of a second."""
    because = "an inbound text is looked up by the number it was sent to"
    if _consume("inbound", receiving.obey_stops, receiving.apply_inbound, because=because):
        consume_inbound.apply_async(queue="inbound", expires=LOCK_SECONDS)


@shared_task(name="messaging.consume_receipts")
def consume_receipts() -> None:
    """Apply receipts in batches for a minute."""
    because = "receipts of every organization arrive in one queue"
    if _consume("receipts", receiving.apply_receipts, because=because):
        consume_receipts.apply_async(queue="receipts", expires=LOCK_SECONDS)


@shared_task(name="messaging.squash_counters")
def squash_counters() -> None:
    with across_organizations(because="counters of every organization are squashed together"):
        counters.squash_counters(now=now())


@shared_task(name="messaging.recount")
def recount() -> None:
    """Prove the counters of the last two days by counting; what differs is an error of ours."""
    with across_organizations(because="the counters of every organization are proved"):
        for drift in counters.recount(since=now() - timedelta(days=2)):
            log.error(
                "counters_drifted",
                stream=drift.stream_id,
                state=drift.state,
                counted=drift.counted,
                messages=drift.messages,
            )


@shared_task(name="messaging.forget_recent_texts")
def forget_recent_texts() -> None:
    forgotten = 1
    while forgotten:
        with across_organizations(because="the texts of every organization age alike"):
            forgotten = counters.forget_recent_texts(now=now())


@shared_task(name="messaging.close_past_days")
def close_past_days() -> None:
    replies.close_past_days(now=now())
    with across_organizations(because="samples of every organization age alike"):
        counters.forget_speed(now=now())
        spikes.forget_answers(now=now())


@shared_task(name="messaging.tend_opt_ins")
def tend_opt_ins() -> None:
    opt_ins.tend_requests(now=now())


@shared_task(name="messaging.sweep")
def sweep() -> None:
    """Find claims whose sender died, ask the carrier about UNKNOWN ones, close what never got a receipt."""
    lost_after = settings.CLAIM_LIFETIME_SECONDS + settings.CARRIER_TIMEOUT_SECONDS + settings.SWEEP_AFTER_SECONDS
    with only_one("sweep", seconds=SWEEP_SECONDS * 2) as hold_on:
        if hold_on is None:
            return
        with across_organizations(because="the sweep looks at every organization's claims"):
            sweeping.find_lost_claims(older_than=timedelta(seconds=lost_after), now=now())
            sweeping.close_without_receipt(older_than=timedelta(seconds=settings.NO_RECEIPT_AFTER_SECONDS), now=now())
            doubts = sweeping.doubtful_messages()
        if doubts:
            asyncio.run(_ask_the_carrier(doubts))


async def _ask_the_carrier(doubts: list[Doubtful]) -> None:
    """Ask about one after the other, for a few seconds at most: the next sweep draws others."""
    end = time.monotonic() + SWEEP_SECONDS
    credentials = await asyncio.to_thread(all_credentials)
    gateways: dict[int, Gateway] = {}
    try:
        for doubt in doubts:
            if time.monotonic() > end:
                return
            if doubt.account_id not in gateways:
                gateways[doubt.account_id] = gateway_for(credentials[doubt.account_id])
            try:
                listed = [message async for message in _listed(gateways[doubt.account_id], doubt)]
                await asyncio.to_thread(_settle_doubt, doubt, listed, now())
            except (TransientError, IntegrityError) as error:
                log.warning("doubt_not_settled", message_id=doubt.message_id, error=type(error).__name__)
    finally:
        for gateway in gateways.values():
            await gateway.close()


def _listed(gateway: Gateway, doubt: Doubtful) -> AsyncIterator[CarrierMessage]:
    return gateway.sent_since(sender=doubt.sender, phone=doubt.phone, since=doubt.claimed_at)


@shared_task(name="messaging.ask_the_witness")
def ask_the_witness() -> None:
    """Hold what every carrier knows of STOPs against what we know, and note the differences."""
    begun = now()
    for credentials in all_credentials().values():
        if credentials.gateway == CarrierAccount.Gateway.NULL:
            continue
        try:
            asyncio.run(_hear_the_carrier(credentials, begun))
        except TransientError as error:
            log.warning("witness_away", account=credentials.account_id, error=type(error).__name__)
    for organization_id in organization_ids():
        with organization_scope(organization_id):
            witness.stop_blocked(now=now())
            witness.tell_differences(since=begun, now=now())


async def _hear_the_carrier(credentials: Credentials, begun: datetime) -> None:
    """The carrier lists the newest first, people are obeyed oldest first: once everything has been heard."""
    sid, account_id = credentials.account_sid, credentials.account_id
    gateway, batch, missed = gateway_for(credentials), list[CarrierMessage](), list[CarrierMessage]()
    try:
        since = await asyncio.to_thread(_across, lambda: witness.asked_since(account_id, now=begun))
        async for message in gateway.listed(since=since):
            if message.inbound or message.error_code is not None:
                batch.append(message)
            if len(batch) == WITNESS_BATCH:
                missed += await asyncio.to_thread(_across, partial(witness.hold_against_ours, sid, batch, now=now()))
                batch = []
        missed += await asyncio.to_thread(_across, partial(witness.hold_against_ours, sid, batch, now=now()))
        await asyncio.to_thread(_across, partial(witness.obey_missed, sid, missed, now=now()))
        await asyncio.to_thread(_across, partial(witness.note_heard, account_id, now=begun))
    finally:
        await gateway.close()


def _across(action: Callable[[], Found]) -> Found:
    """Do something in a thread of its own connection, for every organization."""
    try:
        with across_organizations(because="a carrier account serves every organization"):
            return action()
    finally:
        connection.close()


def _settle_doubt(doubt: Doubtful, listed: list[CarrierMessage], at: datetime) -> None:
    """In a thread of its own connection: write down what the carrier said of one message."""
    patience = timedelta(seconds=settings.CARRIER_VALIDITY_SECONDS + settings.UNCONFIRMED_AFTER_SECONDS)
    try:
        with across_organizations(because="the sweep settles every organization's messages"):
            found = sweeping.matching(doubt, listed)
            if found is not None:
                sweeping.settle_found([(doubt, found)], now=at)
            elif at > doubt.claimed_at + patience:
                sweeping.give_up([doubt], now=at)
    finally:
        connection.close()


def _consume(name: str, *steps: Callable[..., int], because: str) -> bool:
    """Be the one consumer of this name for a minute; where there is one already, leave the process to others.

    Each step commits by itself.

    True: it was, and a successor is due at once. Beat alone would leave a gap in which a STOP waits.
    """
    should_stop = _until_the_minute_is_over()
    finished = False
    with contextlib.suppress(Overtaken), only_one(name, seconds=LOCK_SECONDS) as hold_on:
        while hold_on is not None and not should_stop():
            hold_on()
            if not sum([_apply_once(step, because=because) for step in steps]):
                time.sleep(POLL_SECONDS)
        finished = hold_on is not None
    return finished and not stopping()


def _apply_once(apply: Callable[..., int], *, because: str) -> int:
    try:
        with across_organizations(because=because):
            return apply(now=now())
    except DatabaseError as error:
        log.warning("consumer_waits", error=type(error).__name__)
        connection.close()
        return 0
