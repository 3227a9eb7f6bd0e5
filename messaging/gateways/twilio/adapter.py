"""Twilio's REST messages endpoint through aiohttp (the SDK is synchronous and some ten times dearer)."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin

import aiohttp

from common.errors import TransientError
from messaging.gateways.base import Answer, CarrierMessage, Handover, OutboundText
from messaging.gateways.twilio.callbacks import STATES
from senders.queries import Credentials

KEEPALIVE_SECONDS = 15.0  # below the carrier's own: a stale socket would make an UNKNOWN of a message
_REFUSALS = range(400, 500)
_TOO_MANY = 429
_NOT_LET_IN = (401, 403)
_LONGEST_SID = 64

_may_write: ContextVar[Callable[[], bool]] = ContextVar("may_write")


class _NotWritten(aiohttp.ClientError):
    """The deadline passed while waiting for a connection."""


class _Connector(aiohttp.TCPConnector):
    """Asks for leave once a connection is there: the last moment before the request is written."""

    async def connect(self, *args: Any, **kwargs: Any) -> Any:
        connection = await super().connect(*args, **kwargs)
        if not _may_write.get(_always)():
            connection.release()
            raise _NotWritten
        return connection


def _always() -> bool:
    return True


class TwilioGateway:
    """One carrier account. Create it inside the running event loop that uses it."""

    def __init__(self, credentials: Credentials, *, connections: int, timeout_seconds: float) -> None:
        path = f"/2010-04-01/Accounts/{credentials.account_sid}/Messages.json"
        self._url = urljoin(credentials.base_url, path)
        self._base_url = credentials.base_url
        self._session = aiohttp.ClientSession(
            connector=_Connector(limit=connections, keepalive_timeout=KEEPALIVE_SECONDS),
            timeout=aiohttp.ClientTimeout(total=timeout_seconds),
            headers={"Authorization": aiohttp.encode_basic_auth(credentials.account_sid, credentials.auth_token)},
        )

    async def send(self, text: OutboundText, *, may_write: Callable[[], bool]) -> Handover:
        form = {"To": text.phone, "From": text.sender, "Body": text.body}
        if text.callback_url:
            form["StatusCallback"] = text.callback_url
        content: Any = form
        if text.media_urls:
            content = [*form.items(), *(("MediaUrl", url) for url in text.media_urls)]
        written = False

        def ask() -> bool:
            nonlocal written
            written = may_write()
            return written

        token = _may_write.set(ask)
        try:
            async with self._session.post(self._url, data=content) as response:
                return _handover(response.status, await response.read())
        except _NotWritten:
            return Handover(Answer.NOT_WRITTEN)
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError):
            return Handover(Answer.UNKNOWN if written else Answer.NO_CONNECTION)
        finally:
            _may_write.reset(token)

    async def sent_since(self, *, sender: str, phone: str, since: datetime) -> AsyncIterator[CarrierMessage]:
        day = (since - timedelta(days=1)).date().isoformat()
        url: str | None = self._url
        query: dict[str, str] | None = {"From": sender, "To": phone, "DateSent>": day, "PageSize": "1000"}
        while url:
            page = await self._page(url, query)
            for row in page["messages"]:
                yield _carrier_message(row)
            following = page.get("next_page_uri")
            url, query = (urljoin(self._base_url, following) if following else None), None

    async def close(self) -> None:
        await self._session.close()

    async def _page(self, url: str, query: dict[str, str] | None) -> dict[str, Any]:
        try:
            async with self._session.get(url, params=query) as response:
                if response.status != 200:
                    raise TransientError(f"the carrier answered {response.status} to a list of messages")
                page: dict[str, Any] = await response.json(content_type=None)
                return page
        except (aiohttp.ClientError, asyncio.TimeoutError, ValueError) as error:
            raise TransientError("the carrier's list of messages could not be read") from error


def _handover(status: int, content: bytes) -> Handover:
    """What an answer means. The status decides; a body that is not the carrier's JSON only leaves details out."""
    answer = _read(content)
    sid, code = answer.get("sid"), answer.get("code")
    error_code = code if isinstance(code, int) else None
    if 200 <= status < 300 and isinstance(sid, str) and 0 < len(sid) <= _LONGEST_SID:
        return Handover(Answer.ACCEPTED, sid=sid)
    if status == _TOO_MANY:
        return Handover(Answer.NOT_PROCESSED, error_code=error_code)
    if status in _NOT_LET_IN:
        return Handover(Answer.NOT_LET_IN, error_code=error_code)
    if status in _REFUSALS:
        return Handover(Answer.REFUSED, error_code=error_code)
    return Handover(Answer.UNKNOWN)


def _read(content: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(content)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _carrier_message(row: dict[str, Any]) -> CarrierMessage:
    return CarrierMessage(
        sid=row["sid"],
        sender=row["from"],
        phone=row["to"],
        body=row["body"],
        state=STATES.get(row["status"]),
        error_code=row["error_code"],
        created_at=parsedate_to_datetime(row["date_created"]),
    )
