"""What every carrier's adapter does, and the words for what can come of a call."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from messaging.rules.states import State


class Answer(StrEnum):
    """What became of a hand-over."""

    ACCEPTED = "ACCEPTED"  # the carrier has it; `sid` is its id
    REFUSED = "REFUSED"  # the carrier will not take it; `error_code` says why
    NOT_PROCESSED = "NOT_PROCESSED"  # too many at once: nothing happened, later
    NOT_WRITTEN = "NOT_WRITTEN"  # nothing left this machine: the deadline had passed
    NO_CONNECTION = "NO_CONNECTION"  # nothing left this machine: the carrier could not be reached
    NOT_LET_IN = "NOT_LET_IN"  # the credentials are refused: nothing happened, a person must look
    UNKNOWN = "UNKNOWN"  # written, and no readable answer: ask the carrier, never send again


class ErrorKind(StrEnum):
    """What an error code asks for."""

    LATER = "LATER"
    PERMANENT = "PERMANENT"
    OPT_OUT = "OPT_OUT"
    NOT_TEXTABLE = "NOT_TEXTABLE"
    NUMBER_BLOCKED = "NUMBER_BLOCKED"
    REGISTRATION = "REGISTRATION"
    UNKNOWN = "UNKNOWN"


class OutboundText(NamedTuple):
    """A text to hand over; `callback_url` empty: no status callbacks wanted.

    `media_urls` are where the carrier gets the pictures.
    """

    message_id: int
    sender: str
    phone: str
    body: str
    callback_url: str
    media_urls: tuple[str, ...] = ()


class Handover(NamedTuple):
    answer: Answer
    sid: str = ""
    error_code: int | None = None


@dataclass(frozen=True, slots=True)
class CarrierMessage:
    """A message as the carrier lists it."""

    sid: str
    sender: str
    phone: str
    body: str
    state: State | None
    error_code: int | None
    created_at: datetime
    inbound: bool = False


class Gateway(Protocol):
    """A carrier. `send` never raises for what the carrier says: the answer is the outcome."""

    async def send(self, text: OutboundText, *, may_write: Callable[[], bool]) -> Handover:
        """Hand over one text. `may_write` is asked right before the first byte leaves; False: NOT_WRITTEN."""
        ...

    def sent_since(self, *, sender: str, phone: str, since: datetime) -> AsyncIterator[CarrierMessage]:
        """What the carrier was handed from `sender` to `phone` since then, newest first. Raises TransientError."""
        ...

    def listed(self, *, since: datetime) -> AsyncIterator[CarrierMessage]:
        """Every message of the account since then, in both directions, newest first. Raises TransientError."""
        ...

    async def close(self) -> None: ...
