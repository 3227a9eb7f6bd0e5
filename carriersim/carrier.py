"""The simulated carrier's mind: its numbers, the texts it took, its block lists, and its moods."""

import asyncio
import random
import secrets
import time
import zlib
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from carriersim.callbacks import Callbacks
from carriersim.segments import count_segments

QUEUE_SECONDS = 36_000
MAGIC_FROM = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}
MAGIC_TO = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
MAGIC_FROM_GOOD = "+15005550006"
NETWORK_STOPPED = (
    'NETWORK MSG: You replied with the word "stop" which blocks all texts sent from this number. '
    'Text back "unstop" to receive messages again.'
)
NETWORK_STARTED = 'NETWORK MSG: You have replied "unstop" and will begin receiving messages again from this number.'


MOST_MEDIA = 10


@dataclass(slots=True)
class Number:
    """A number of a customer: its allowed segments a second (None: any), and where inbound texts are posted."""

    sender: str
    account_sid: str
    rate: float | None
    toll_free: bool = False
    verified: bool = True
    inbound_url: str = ""
    next_free: float = 0.0
    arrivals: list[tuple[float, int]] = field(default_factory=list)


@dataclass(slots=True)
class Text:
    """A text that the carrier took (`outbound`) or that a handset sent."""

    sid: str
    account_sid: str
    sender: str
    phone: str
    body: str
    segments: int
    created: datetime
    status: str = "queued"
    error_code: int | None = None
    callback: str = ""
    outbound: bool = True
    silent: bool = False
    media: tuple[str, ...] = ()


@dataclass(slots=True)
class Mood:
    """How the carrier behaves. `share` of the hand-overs is answered by `answer`, the rest normally."""

    answer: str = "normal"  # too_many, error, nothing, half, silence
    share: float = 1.0
    latency: float = 0.0
    receipt_delay: float = 0.2
    doubled: float = 0.02
    shuffled: float = 0.05
    undelivered: float = 0.02


class Carrier:
    """All state, in memory; one event loop, so nothing is locked."""

    def __init__(self, auth_token: str, callbacks: Callbacks) -> None:
        self.auth_token = auth_token
        self.mood = Mood()
        self.numbers: dict[str, Number] = {}
        self.texts: dict[str, Text] = {}
        self.by_pair: dict[tuple[str, str], list[str]] = defaultdict(list)
        self.by_phone: dict[str, list[str]] = defaultdict(list)
        self.blocked: set[tuple[str, str]] = set()
        self.lags: list[float] = []
        self._callbacks = callbacks
        self._sids = (f"{secrets.token_hex(6)}{number:020x}" for number in count(1))  # never those of an earlier run
        self._random = random.Random(1)  # noqa: S311 - moods, not secrets
        self._tasks: set[asyncio.Task[None]] = set()

    # Hand-over -----------------------------------------------------------------------------------------------------

    def take(self, account_sid: str, form: dict[str, str], media: tuple[str, ...] = ()) -> Text | int:
        """Accept a text, or refuse it with an error code. `media` are the addresses of its pictures."""
        sender, phone, body = form.get("From", ""), form.get("To", ""), form.get("Body", "")
        code = self._refusal(sender, phone, body, media)
        if code is not None:
            return code
        text = Text(
            sid=f"SM{next(self._sids)}",
            account_sid=account_sid,
            sender=sender,
            phone=phone,
            body=body,
            segments=1 if media else count_segments(body),  # with pictures it is one message, whatever its length
            media=media,
            created=datetime.now(UTC),
            callback=form.get("StatusCallback", ""),
        )
        number = self.numbers.get(sender)
        now = time.monotonic()
        wait = 0.0
        if number is not None:
            number.arrivals.append((now, text.segments))
            if number.rate is not None:
                wait = max(number.next_free - now, 0.0)
                if wait > QUEUE_SECONDS:
                    number.arrivals.pop()
                    return 21611
                number.next_free = max(number.next_free, now) + text.segments / number.rate
        self._keep(text)
        if text.callback and phone not in MAGIC_TO:
            self._spawn(self._report(text, wait, verified=number is None or number.verified))
        else:
            text.status = "sent"
        return text

    def _refusal(self, sender: str, phone: str, body: str, media: tuple[str, ...]) -> int | None:
        if sender in MAGIC_FROM:
            return MAGIC_FROM[sender]
        if phone in MAGIC_TO:
            return MAGIC_TO[phone]
        if not body and not media:
            return 21602
        if len(media) > MOST_MEDIA:
            return 21623
        if len(body) > 1600:
            return 21617
        if sender not in self.numbers and sender != MAGIC_FROM_GOOD:
            return 21606
        if sender == phone:
            return 21266
        if phone.startswith("+1") and any(letter.isalpha() for letter in sender):
            return 21612  # names are not known in North America
        if (sender, phone) in self.blocked:
            return 21610
        return None

    def _keep(self, text: Text) -> None:
        self.texts[text.sid] = text
        self.by_pair[(text.sender, text.phone)].append(text.sid)
        self.by_phone[text.phone].append(text.sid)

    # Receipts ------------------------------------------------------------------------------------------------------

    async def _report(self, text: Text, wait: float, *, verified: bool) -> None:
        """Sent, then delivered or not; sometimes doubled, sometimes in the wrong order."""
        mood = self.mood
        await asyncio.sleep(wait + mood.receipt_delay * self._random.uniform(0.5, 1.5))
        last, code = self._fate(text, verified)
        steps = [("sent", None), (last, code)]
        if self._random.random() < mood.shuffled:
            steps.reverse()
        if self._random.random() < mood.doubled:
            steps.append(steps[-1])
        text.status, text.error_code = last, code
        for status, error_code in steps:
            await self._callbacks.status(text, status, error_code)
            await asyncio.sleep(mood.receipt_delay * self._random.uniform(0.2, 1.0))

    def _fate(self, text: Text, verified: bool) -> tuple[str, int | None]:
        if not verified:
            return "undelivered", 30032
        # By the phone, so that the same people are reached in every run.
        unlucky = zlib.crc32(text.phone.encode()) % 1000 < self.mood.undelivered * 1000
        return ("undelivered", 30003) if unlucky else ("delivered", None)

    # Handsets ------------------------------------------------------------------------------------------------------

    async def answer(self, phone: str, sender: str, body: str) -> Text:
        """A person types an answer on the handset: the network acts on it first, then the customer hears of it."""
        number = self.numbers[sender]
        text = Text(
            sid=f"SM{next(self._sids)}",
            account_sid=number.account_sid,
            sender=sender,
            phone=phone,
            body=body,
            segments=count_segments(body),
            created=datetime.now(UTC),
            status="received",
            outbound=False,
        )
        self.texts[text.sid] = text
        self.by_phone[phone].append(text.sid)
        word = body.strip().casefold()
        if number.toll_free and word == "stop":
            self.blocked.add((sender, phone))
            self._network_reply(number, phone, NETWORK_STOPPED)
        elif number.toll_free and word in ("start", "unstop"):
            self.blocked.discard((sender, phone))
            self._network_reply(number, phone, NETWORK_STARTED)
        if number.inbound_url:
            self._spawn(self._callbacks.inbound(text, number.inbound_url))
        return text

    def _network_reply(self, number: Number, phone: str, body: str) -> None:
        """Shown on the handset, never in the customer's record: the network sent it."""
        sid = f"NW{next(self._sids)}"
        self.texts[sid] = Text(
            sid, number.account_sid, number.sender, phone, body, 1, datetime.now(UTC), status="delivered", silent=True
        )
        self.by_phone[phone].append(sid)

    # -------------------------------------------------------------------------------------------------------------

    def moody(self) -> str:
        """How the next hand-over is answered."""
        mood = self.mood
        if mood.answer == "normal" or self._random.random() >= mood.share:
            return "normal"
        return mood.answer

    def set_mood(self, changes: dict[str, Any]) -> None:
        for name, value in changes.items():
            if name not in Mood.__slots__:
                raise KeyError(name)
            setattr(self.mood, name, value)

    async def watch_own_lag(self) -> None:
        """Note the instants at which this process itself was late: what was judged then is listed apart."""
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.005)
            after = time.monotonic()
            if after - before > 0.015:
                self.lags.append(after)

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
