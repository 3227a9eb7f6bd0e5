"""The null gateway."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from itertools import count

from messaging.gateways.base import Answer, CarrierMessage, Handover, OutboundText


class NullGateway:
    """Accepts without writing anything; its sids carry our id, so they never repeat."""

    def __init__(self) -> None:
        self._calls = count(1)

    async def send(self, text: OutboundText, *, may_write: Callable[[], bool]) -> Handover:
        if not may_write():
            return Handover(Answer.NOT_WRITTEN)
        return Handover(Answer.ACCEPTED, sid=f"NULL{text.message_id}.{next(self._calls)}")

    async def sent_since(self, *, sender: str, phone: str, since: datetime) -> AsyncIterator[CarrierMessage]:
        nothing: tuple[CarrierMessage, ...] = ()
        for message in nothing:
            yield message

    async def listed(self, *, since: datetime) -> AsyncIterator[CarrierMessage]:
        nothing: tuple[CarrierMessage, ...] = ()
        for message in nothing:
            yield message

    async def close(self) -> None:
        return None
