"""Twilio's REST messages endpoint: hand-overs by the lean client, lists by aiohttp (the SDK is synchronous)."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin

import aiohttp

from common.errors import TransientError
from messaging.gateways.base import Answer, CarrierMessage, Handover, OutboundText
from messaging.gateways.http import LeanClient, NotReached, NotWritten, Unanswered, form_value
from messaging.gateways.twilio.callbacks import STATES
from senders.queries import Credentials

KEEPALIVE_SECONDS = 15.0  # below the carrier's own: a stale socket would make an UNKNOWN of a message
_REFUSALS = range(400, 500)
_TOO_MANY = 429
_NOT_LET_IN = (401, 403)
_LONGEST_SID = 64


class TwilioGateway:
    """One carrier account. Create it inside the running event loop that uses it."""

    def __init__(
        self, credentials: Credentials, *, connections: int, timeout_seconds: float, patience_seconds: float = 1.0
    ) -> None:
        self._path = f"/2010-04-01/Accounts/{credentials.account_sid}/Messages.json"
        self._base_url = credentials.base_url
        self._authorization = aiohttp.encode_basic_auth(credentials.account_sid, credentials.auth_token)
        self._timeout = timeout_seconds
        self._client = LeanClient(
            credentials.base_url,
            headers={
                "Authorization": self._authorization,
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
                "User-Agent": "carillon",
            },
            connections=connections,
            timeout_seconds=timeout_seconds,
            keepalive_seconds=KEEPALIVE_SECONDS,
            patience_seconds=patience_seconds,
        )
        self._session: aiohttp.ClientSession | None = None

    async def send(self, text: OutboundText, *, may_write: Callable[[], bool]) -> Handover:
        form = f"To={form_value(text.phone)}&From={form_value(text.sender)}&Body={form_value(text.body)}"
        if text.callback_url:
            form += f"&StatusCallback={form_value(text.callback_url)}"
        for url in text.media_urls:
            form += f"&MediaUrl={form_value(url)}"
        try:
            status, content = await self._client.post(self._path, form.encode(), may_write=may_write)
        except NotWritten:
            return Handover(Answer.NOT_WRITTEN)
        except NotReached:
            return Handover(Answer.NO_CONNECTION)
        except Unanswered:
            return Handover(Answer.UNKNOWN)
        return _handover(status, content)

    async def sent_since(self, *, sender: str, phone: str, since: datetime) -> AsyncIterator[CarrierMessage]:
        async for message in self._pages({"From": sender, "To": phone}, since):
            yield message

    async def listed(self, *, since: datetime) -> AsyncIterator[CarrierMessage]:
        async for message in self._pages({}, since):
            yield message

    async def _pages(self, among: dict[str, str], since: datetime) -> AsyncIterator[CarrierMessage]:
        day = (since - timedelta(days=1)).date().isoformat()
        url: str | None = urljoin(self._base_url, self._path)
        query: dict[str, str] | None = {**among, "DateSent>": day, "PageSize": "1000"}
        while url:
            page = await self._page(url, query)
            for row in page["messages"]:
                yield _carrier_message(row)
            following = page.get("next_page_uri")
            url, query = (urljoin(self._base_url, following) if following else None), None

    async def close(self) -> None:
        await self._client.close()
        if self._session is not None:
            await self._session.close()

    async def _page(self, url: str, query: dict[str, str] | None) -> dict[str, Any]:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self._timeout), headers={"Authorization": self._authorization}
            )
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
        inbound=row.get("direction") == "inbound",
    )
