"""One dispatcher: serves its share of the lanes until it is told to stop.

Four coroutines: `_keep_lanes` renews the leases, `_look` finds streams with something to send, `_serve` claims, paces
and hands over, `_record` writes outcomes. Claims go ahead of the sends and records follow behind, so nothing waits
for the slowest of a batch.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import structlog
from django.conf import settings
from django.db import DataError, IntegrityError
from django.db import Error as DatabaseError
from redis.exceptions import RedisError

from common import clock
from common.errors import TransientError
from messaging.actions.claims import Claim, Want, claim_due
from messaging.actions.lanes import release_lanes, renew_lanes
from messaging.actions.media import media_urls
from messaging.actions.outages import note_outages
from messaging.actions.outcomes import Outcome, record_outcomes
from messaging.actions.restoring import LOOKED_AT, check_database, lock_dispatch, unexplained
from messaging.dispatcher.carriers import Carriers
from messaging.dispatcher.database import DatabaseThread, was_cut
from messaging.dispatcher.permits import Permits
from messaging.gateways.base import Answer, CarrierMessage, Gateway, Handover, OutboundText
from messaging.gateways.registry import gateway_for
from messaging.metrics import CARRIER_SECONDS, HANDOVERS, LEFT_OUT, PERMIT_SECONDS
from messaging.queries import DueStream, due_streams, outages
from messaging.rules.pacing import LATEST, interval, segments_to_ask_for
from messaging.rules.states import State
from senders.queries import all_credentials

log = structlog.get_logger(__name__)

LANES_EVERY = 1.0
LOOK_EVERY = 0.2
IDLE = 0.01
RECORD_EVERY = 0.05
RECORD_MOST = 500
RETRY_AFTER = 0.5
FIRST_LOOK = timedelta(days=1)
AHEAD_SECONDS = 0.1
MOST_AHEAD = 2_000
"""Claims wait for a connection at most about so long: a fifth of their lifetime, and enough for large claims."""


_explained: set[int] = set()
"""Carrier accounts whose newest texts this process knows to be ours; asked anew after each break of a connection."""


@dataclass(slots=True)
class _Number:
    """A sender number with work: what is known of its next slot, and its streams by priority."""

    number_id: int
    account_id: int
    sender: str
    rate: float | None
    streams: list[DueStream]


class Dispatcher:
    """Create it inside the event loop; `run` returns when `should_stop` says so and everything is put away."""

    def __init__(self, should_stop: Callable[[], bool]) -> None:
        self.holder = uuid4()
        self._should_stop = should_stop
        self._permits = Permits(settings.REDIS_URL)
        self._claiming = DatabaseThread("claims")
        self._recording = DatabaseThread("records")
        self._leasing = DatabaseThread("lanes")
        self._gateways: dict[int, Gateway] = {}
        self._gateway_kinds: dict[int, str] = {}
        self._locked = "not looked yet"  # why nothing may be claimed
        self._held: list[int] = []
        self._lanes: list[int] = []  # held, or held a second ago
        self._numbers: dict[int, _Number] = {}
        # Kept when a number has nothing more to send: its last claims are still on their way.
        self._senders: dict[int, str] = {}
        self._rates: dict[int, float | None] = {}
        self._next_free: dict[int, float] = {}  # by number; monotonic seconds
        self._cursors: dict[int, int] = {}  # by stream: the last message that was claimed
        self._in_flight: set[asyncio.Task[None]] = set()
        self._outcomes: list[Outcome] = []
        self._carriers = Carriers()
        self._asking: dict[int, asyncio.Task[None]] = {}  # by carrier account that is not known to be ours yet
        self._next_of_hour: dict[str, float] = {}  # by who share an hourly limit; monotonic seconds
        self._limited: dict[int, tuple[str, int]] = {}  # by stream: who share it, and so many an hour
        self._turn = 0
        self._leaving: Counter[int] = Counter()  # by carrier account: in flight, but for those that wait for a slot
        self._done = 0  # hand-overs since the last look
        self._pace = 0.0  # hand-overs a second, smoothed

    async def run(self) -> None:
        await self._guarded(self._remember_outages)
        background = [
            asyncio.create_task(self._forever(self._keep_lanes, LANES_EVERY)),
            asyncio.create_task(self._forever(self._look, LOOK_EVERY)),
        ]
        recorder = asyncio.create_task(self._forever(self._record, RECORD_EVERY))
        try:
            while not self._should_stop():
                if not await self._guarded(self._serve):
                    await asyncio.sleep(IDLE)
        finally:
            await self._put_away(background, recorder)

    # Lanes and streams ---------------------------------------------------------------------------------------------

    async def _keep_lanes(self) -> None:
        self._locked = await self._leasing.run(lambda: check_database(now=clock.now()))
        held = await self._leasing.run(lambda: renew_lanes(self.holder, lease_seconds=settings.LANE_LEASE_SECONDS))
        # What was lost just now is served once more, until the next holder has looked: two at once are never wrong.
        lanes = sorted({*held, *self._held})
        self._held = held
        if lanes != self._lanes:
            log.info("lanes_changed", lanes=len(held))
            self._lanes = lanes
            self._cursors.clear()
            await self._look()  # numbers that came with them would wait for their turn else
        await self._tell_outages()

    async def _remember_outages(self) -> None:
        self._carriers.remember(await self._leasing.run(lambda: outages(now=clock.now())))

    async def _tell_outages(self) -> None:
        """Note which carriers take nothing, and which do again."""
        down, recovered = self._carriers.news()
        if down or recovered:
            await self._leasing.run(lambda: note_outages(down, recovered, now=clock.now()))
            self._carriers.noted(down, recovered)

    async def _look(self) -> None:
        self._pace += (self._done / LOOK_EVERY - self._pace) / 2
        self._done = 0
        lanes, cursors = list(self._lanes), dict(self._cursors)
        due = await self._leasing.run(lambda: due_streams(lanes, cursors=cursors, now=clock.now()))
        found: dict[int, _Number] = {}
        for stream in due:
            number = found.setdefault(
                stream.number_id, _Number(stream.number_id, stream.account_id, stream.sender, stream.rate, [])
            )
            number.streams.append(stream)
            if stream.hourly_limit is not None:
                self._limited[stream.stream_id] = (stream.hourly_for, stream.hourly_limit)
        await self._open_gateways({number.account_id for number in found.values()})
        for account_id in {number.account_id for number in found.values()} - _explained - self._asking.keys():
            # Beside the looks: a carrier that does not answer holds up nobody else's numbers.
            self._asking[account_id] = asyncio.create_task(self._explain(account_id))
        self._numbers = found
        for number in found.values():
            self._senders[number.number_id] = number.sender
            self._rates[number.number_id] = number.rate
        # A stream that has nothing after its cursor is looked at from its beginning next time: messages that were
        # given back lie behind it.
        waiting = {stream.stream_id for stream in due}
        for stream_id in [known for known in cursors if known not in waiting]:
            self._cursors.pop(stream_id, None)

    async def _explain(self, account_id: int) -> None:
        """Before the first claim: everything that the carrier lists must be known, or a backup was put back."""
        try:
            newest: list[CarrierMessage] = []
            async for message in self._gateways[account_id].listed(since=clock.now() - FIRST_LOOK):
                newest.append(message)
                if len(newest) >= LOOKED_AT:
                    break
            strangers = await self._leasing.run(lambda: unexplained(account_id, newest))
            if strangers:
                log.error("dispatch_locked", account=account_id, unexplained=len(strangers))
                why = "the carrier has texts that this database does not know: it was restored from a backup"
                self._locked = await self._leasing.run(lambda: lock_dispatch(why, now=clock.now()))
            else:
                _explained.add(account_id)
        except (TransientError, DatabaseError) as error:
            log.warning("carrier_not_asked", account=account_id, error=type(error).__name__)
            if isinstance(error, TransientError):
                self._carriers.not_reached(account_id)
        finally:
            if account_id not in _explained:
                await asyncio.sleep(RETRY_AFTER)
            self._asking.pop(account_id, None)

    async def _open_gateways(self, accounts: set[int]) -> None:
        if accounts - self._gateways.keys():
            credentials = await asyncio.to_thread(all_credentials)
            for account_id in accounts - self._gateways.keys():
                self._gateways[account_id] = gateway_for(credentials[account_id])
                self._gateway_kinds[account_id] = credentials[account_id].gateway

    # Claim, wait for the slot, hand over ---------------------------------------------------------------------------

    async def _serve(self) -> bool:
        """One round; False where there was nothing to do."""
        former = set(self._carriers.probing)
        wants = self._wants()
        if not wants:
            return False
        probes = self._carriers.probing - former
        claim_id = uuid4()
        deadline = clock.boot_seconds() + settings.CLAIM_LIFETIME_SECONDS
        tried: set[int] = set()
        try:
            claims = await self._claiming.run(lambda: claim_due(wants, claim_id=claim_id, now=clock.now()))
            self._move_cursors(wants, claims)
            for reason, count in Counter(claim.reason for claim in claims if claim.state != State.CLAIMED).items():
                LEFT_OUT.add(reason, by=count)
            claims = [claim for claim in claims if claim.state == State.CLAIMED]
            tried = {claim.account_id for claim in claims}
        finally:  # who was to be tried and had nothing to send is tried another time
            self._carriers.probing -= probes - tried
        claims = await self._within_the_hour(claims, claim_id)
        for claim, slot in await self._slots(claims, claim_id):
            task = asyncio.create_task(self._hand_over(claim, slot, claim_id, deadline))
            self._in_flight.add(task)
            task.add_done_callback(self._in_flight.discard)
        return bool(claims)

    def _wants(self) -> list[Want]:
        """As many segments for each number as have slots within the look-ahead, and as leave soon at this pace."""
        if self._locked:
            return []
        self._turn += 1
        numbers = list(self._numbers.values())
        start = self._turn % max(len(numbers), 1)  # who is asked first changes, so that no number starves
        asked: dict[int, list[tuple[_Number, int | None]]] = {}
        for number in numbers[start:] + numbers[:start]:
            slots = self._slots_of(number)
            if slots != 0:
                asked.setdefault(number.account_id, []).append((number, slots))
        wants: list[Want] = []
        for account_id, some in asked.items():
            wants += self._wants_of(account_id, some)
        return wants

    def _slots_of(self, number: _Number) -> int | None:
        """How many segments it can send soon; None: any number. 0 too where its carrier takes nothing now."""
        if number.account_id not in _explained or self._carriers.rests(number.account_id, number.number_id):
            return 0
        if number.rate is None:
            return None
        now = time.monotonic()
        return segments_to_ask_for(rate=number.rate, next_free=self._next_free.get(number.number_id, now), now=now)

    def _wants_of(self, account_id: int, asked: list[tuple[_Number, int | None]]) -> list[Want]:
        """What the numbers of one carrier account share: a slow carrier takes nobody else's room."""
        if self._carriers.in_trouble(account_id):  # with one text: where it fails, nothing else is in doubt
            probe = next(filter(None, (self._wants_from(number, 1) for number, _ in asked)), [])
            if probe:
                self._carriers.probing.add(account_id)
            return probe
        window = min(max(int(self._pace * AHEAD_SECONDS), settings.CARRIER_CONNECTIONS), MOST_AHEAD)
        free = window - self._leaving[account_id]
        if free <= window // 2:
            return []
        wants: list[Want] = []
        for left, (number, slots) in zip(range(len(asked), 0, -1), asked, strict=True):
            share = max(free // left, 1)
            take = share if slots is None else min(slots, share)
            if free <= 0:
                break
            free -= take
            wants += self._wants_from(number, take)
        return wants

    def _wants_from(self, number: _Number, segments: int) -> list[Want]:
        """Where only so many an hour may go one at a time, once its turn has come; who share the limit take turns."""
        now = time.monotonic()
        chosen = [(stream, segments) for stream in number.streams if stream.hourly_limit is None]
        sharing: dict[str, list[DueStream]] = {}
        for stream in number.streams:
            if stream.hourly_limit is not None and now >= self._next_of_hour.get(stream.hourly_for, 0.0):
                sharing.setdefault(stream.hourly_for, []).append(stream)
        chosen += [(streams[self._turn % len(streams)], 1) for streams in sharing.values()]
        return [
            Want(stream.stream_id, number.number_id, self._cursors.get(stream.stream_id, 0), segments, at_most=at_most)
            for stream, at_most in chosen
        ]

    def _move_cursors(self, wants: list[Want], claims: list[Claim]) -> None:
        after = {want.stream_id: want.after_id for want in wants}
        for claim in claims:
            known = self._cursors.get(claim.stream_id, 0)
            if known >= after[claim.stream_id]:  # else it was set back meanwhile, to a message that was given back
                self._cursors[claim.stream_id] = max(known, claim.message_id)
        served = {claim.number_id for claim in claims}
        for want in wants:
            if want.number_id not in served:  # nothing there: wait for the next look
                self._numbers.pop(want.number_id, None)

    async def _within_the_hour(self, claims: list[Claim], claim_id: UUID) -> list[Claim]:
        """Those that are not too many for this hour; the others go back."""
        if not any(claim.stream_id in self._limited for claim in claims):
            return claims
        allowed = list(claims)
        try:
            for claim in claims:
                if claim.stream_id in self._limited:
                    shared, limit = self._limited[claim.stream_id]
                    may, self._next_of_hour[shared] = await self._permits.take_turn(shared, per_hour=limit)
                    if not may:
                        allowed.remove(claim)
                        self._put_back(claim, claim_id)
        except RedisError:
            for claim in allowed:
                self._put_back(claim, claim_id)
            raise
        return allowed

    async def _slots(self, claims: list[Claim], claim_id: UUID) -> list[tuple[Claim, float | None]]:
        """Each claim that may leave soon, and when, in monotonic seconds (None: at once). The others go back."""
        costs: dict[int, tuple[float, list[int]]] = {}
        for claim in claims:
            rate = self._rates[claim.number_id]
            if rate is not None:
                costs.setdefault(claim.number_id, (rate, []))[1].append(claim.segments)
        if not costs:
            return [(claim, None) for claim in claims]
        try:
            reserved = await self._permits.reserve(costs)
        except RedisError:
            for claim in claims:  # without a limiter nothing paced may leave
                self._put_back(claim, claim_id)
            raise
        waiting: dict[int, Iterator[float | None]] = {}
        for number_id, (slots, free) in reserved.items():
            self._next_free[number_id] = free
            waiting[number_id] = iter(slots)
        now, leaving = time.monotonic(), list[tuple[Claim, float | None]]()
        for claim in claims:
            slot = next(waiting[claim.number_id]) if claim.number_id in waiting else None
            if slot is None and claim.number_id in waiting:
                self._put_back(claim, claim_id)
            else:
                leaving.append((claim, slot))
        PERMIT_SECONDS.observe(*(max(slot - now, 0.0) for _, slot in leaving if slot is not None))
        return leaving

    def _put_back(self, claim: Claim, claim_id: UUID) -> None:
        self._carriers.probing.discard(claim.account_id)
        self._outcomes.append(
            Outcome(claim, claim_id, Handover(Answer.NOT_WRITTEN), self._gateway_kinds[claim.account_id])
        )

    async def _hand_over(self, claim: Claim, slot: float | None, claim_id: UUID, deadline: float) -> None:
        if slot is not None:
            await asyncio.sleep(slot - time.monotonic())
        self._leaving[claim.account_id] += 1

        def may_write() -> bool:
            in_time = clock.boot_seconds() < deadline and (slot is None or time.monotonic() < slot + LATEST)
            return in_time and not self._carriers.in_doubt(claim.account_id)

        text = OutboundText(
            message_id=claim.message_id,
            sender=self._senders[claim.number_id],
            phone=claim.phone,
            body=claim.body,
            callback_url=_callback_url(claim.message_id),
            media_urls=media_urls(claim.organization_id, tuple(claim.media_ids)) if claim.media_ids else (),
        )
        gateway, begun = self._gateway_kinds[claim.account_id], time.monotonic()
        try:
            handover = await self._gateways[claim.account_id].send(text, may_write=may_write)
        finally:
            self._leaving[claim.account_id] -= 1
        outcome = Outcome(claim, claim_id, handover, gateway, time.monotonic() - begun)
        self._carriers.hear(outcome)
        self._outcomes.append(outcome)
        self._done += 1
        rate = self._rates.get(claim.number_id)
        if slot is not None and rate is not None and handover.answer is Answer.NOT_WRITTEN:
            with contextlib.suppress(RedisError):
                end = slot + interval(rate) * claim.segments
                if await self._permits.give_back(claim.number_id, rate=rate, end=end):
                    self._next_free.pop(claim.number_id, None)

    # Outcomes ------------------------------------------------------------------------------------------------------

    async def _record(self) -> None:
        """Write what has come together; a lot at once, else no more until the next turn makes it worth a commit."""
        full = RECORD_MOST
        while full == RECORD_MOST and self._outcomes:
            batch = self._outcomes[:RECORD_MOST]
            try:
                await self._write(batch)
            except (DataError, IntegrityError, ValueError):
                await self._write_one_by_one(batch)
            # Only now: a batch that could not be written stays, and is written again.
            del self._outcomes[: len(batch)]
            _count(batch)
            for outcome in batch:
                if outcome.goes_back:  # behind the cursor it would wait until the stream is through
                    claim = outcome.claim
                    self._cursors[claim.stream_id] = min(self._cursors.get(claim.stream_id, 0), claim.message_id - 1)
            full = len(batch)

    async def _write(self, batch: list[Outcome]) -> None:
        await self._recording.run(lambda: record_outcomes(batch, now=clock.now()))

    async def _write_one_by_one(self, batch: list[Outcome]) -> None:
        """An answer that contradicts what we know (a sid given twice) must not hold up the others: it is in doubt."""
        for outcome in batch:
            try:
                await self._write([outcome])
            except (DataError, IntegrityError, ValueError):
                log.error("answer_contradicts", message_id=outcome.claim.message_id, sid=outcome.handover.sid)
                await self._write([outcome._replace(handover=Handover(Answer.UNKNOWN))])

    # Going on, and ending ------------------------------------------------------------------------------------------

    async def _forever(self, action: Callable[[], Awaitable[object]], every: float) -> None:
        while True:
            await self._guarded(action)
            await asyncio.sleep(every)

    async def _guarded(self, action: Callable[[], Awaitable[object]]) -> object:
        """Run once; where database or limiter are away, note it and wait a little."""
        try:
            return await action()
        except (DatabaseError, RedisError, OSError) as error:
            log.warning("dispatcher_waits", action=action.__name__, error=type(error).__name__)
            if isinstance(error, DatabaseError) and was_cut(error):
                _explained.clear()  # the database that comes back may be another one
            await asyncio.sleep(RETRY_AFTER)
            return True

    async def _put_away(self, background: list[asyncio.Task[None]], recorder: asyncio.Task[None]) -> None:
        """Give the lanes back, let what was claimed finish, write every outcome."""
        for task in (*background, *self._asking.values()):
            task.cancel()
        # At once, not after the last answer: slots and claims are shared, so others may serve the numbers already.
        with contextlib.suppress(DatabaseError):
            await self._leasing.run(lambda: release_lanes(self.holder))
        if self._in_flight:
            await asyncio.wait(self._in_flight, timeout=settings.CARRIER_TIMEOUT_SECONDS + 1)
        while self._outcomes and not recorder.done():  # noqa: ASYNC110 - it tells nobody when it is through
            await asyncio.sleep(RECORD_EVERY)
        recorder.cancel()
        for gateway in self._gateways.values():
            await gateway.close()
        await self._permits.close()
        for thread in (self._claiming, self._recording, self._leasing):
            await thread.close()


def _count(batch: list[Outcome]) -> None:
    took: dict[tuple[str, Answer], list[float]] = {}
    for one in batch:
        if one.seconds is not None:
            took.setdefault((one.gateway, one.handover.answer), []).append(one.seconds)
    for (gateway, answer), seconds in took.items():
        HANDOVERS.add(gateway, answer.value, by=len(seconds))
        if answer is not Answer.NOT_WRITTEN:
            CARRIER_SECONDS.observe(*seconds, labels=(gateway,))


def _callback_url(message_id: int) -> str:
    if not settings.CARRIER_STATUS_CALLBACKS:
        return ""
    return f"{settings.CARRIER_CALLBACK_URL}/carrier/twilio/status/{message_id}"
