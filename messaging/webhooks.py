"""The carrier endpoint: a bare ASGI application, not a Django view (ten times as many callbacks a second).

Verify the signature, append, answer after the commit. Callbacks that arrive within a few milliseconds of each other
share one commit. Nothing is applied here: with every worker down the endpoint goes on, and loses nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qsl

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection

from common import clock
from common.tenancy import across_organizations
from messaging.actions.receiving import Received, append_inbound, append_receipts
from messaging.gateways.twilio.callbacks import signature_fits
from senders.queries import all_credentials

log = structlog.get_logger(__name__)

STATUS_PATH = "/carrier/twilio/status/"
INBOUND_PATH = "/carrier/twilio/inbound"
GROUP_SECONDS = 0.005
CREDENTIALS_SECONDS = 30.0
LARGEST_BODY = 256 * 1024

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class GroupCommit:
    """Appends what several requests bring with one transaction; `append` returns once it is committed."""

    def __init__(self, write: Callable[[list[Received]], None]) -> None:
        self._write = write
        self._executor = ThreadPoolExecutor(1)
        self._waiting: list[tuple[Received, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None

    async def append(self, received: Received) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((received, done))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._commit())
        await done

    async def _commit(self) -> None:
        await asyncio.sleep(GROUP_SECONDS)
        while self._waiting:  # what came while the last group was written is the next one
            group, self._waiting = self._waiting, []
            outcome: DatabaseError | None = DatabaseError("not written")
            try:
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(self._executor, self._write, [received for received, _ in group])
                outcome = None
            except DatabaseError as error:
                log.warning("callbacks_not_written", count=len(group), error=type(error).__name__)
                outcome = error
            finally:  # whatever happens, nobody of the group waits for ever
                for _, done in group:
                    if done.done():  # the request was given up meanwhile
                        continue
                    if outcome is None:
                        done.set_result(None)
                    else:
                        done.set_exception(outcome)


class CarrierEndpoint:
    """The ASGI application. Answers 204 (receipts), empty TwiML (inbound), 403 where the signature does not fit."""

    def __init__(self) -> None:
        self._receipts = GroupCommit(_write_receipts)
        self._inbound = GroupCommit(_write_inbound)
        self._tokens: dict[str, str] = {}
        self._tokens_read_at = float("-inf")

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            status, content = await self._answer(scope, receive)
            headers = [(b"content-type", b"text/xml"), (b"content-length", str(len(content)).encode())]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": content})

    async def _answer(self, scope: dict[str, Any], receive: Receive) -> tuple[int, bytes]:
        path = scope["path"]
        if path == "/health":
            return 200, b"ok"
        if scope["method"] != "POST" or not path.startswith((STATUS_PATH, INBOUND_PATH)):
            return 404, b""
        body = await _body(receive)
        if body is None:
            return 413, b""
        signed = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
        query = scope["query_string"].decode()
        url = f"{settings.CARRIER_CALLBACK_URL}{path}" + (f"?{query}" if query else "")
        signature = dict(scope["headers"]).get(b"x-twilio-signature", b"").decode()
        token = await self._token_of(signed.get("AccountSid", ""))
        if not token or not signature_fits(auth_token=token, url=url, form=signed, signature=signature):
            return 403, b""
        form = {key: value.replace("\x00", "") for key, value in signed.items()}  # PostgreSQL stores no NUL
        try:
            if path.startswith(STATUS_PATH):
                number = path.removeprefix(STATUS_PATH)
                message_id = int(number) if number.isdigit() else None
                await self._receipts.append(Received(form["AccountSid"], message_id, form))
                return 204, b""
            await self._inbound.append(Received(form["AccountSid"], None, form))
            return 200, b"<Response/>"
        except DatabaseError:
            return 503, b""  # the carrier tries again

    async def _token_of(self, account_sid: str) -> str:
        if account_sid not in self._tokens or clock.boot_seconds() - self._tokens_read_at > CREDENTIALS_SECONDS:
            found = await asyncio.to_thread(_read_tokens)
            self._tokens, self._tokens_read_at = found, clock.boot_seconds()
        return self._tokens.get(account_sid, "")


def _read_tokens() -> dict[str, str]:
    try:
        return {account.account_sid: account.auth_token for account in all_credentials().values()}
    finally:
        connection.close()


def _write_receipts(received: list[Received]) -> None:
    _write(received, append_receipts)


def _write_inbound(received: list[Received]) -> None:
    _write(received, append_inbound)


def _write(received: list[Received], append: Callable[..., None]) -> None:
    try:
        with across_organizations(because="a callback names the carrier's account, not the organization"):
            append(received, now=clock.now())
    except DatabaseError:
        connection.close()
        raise


async def _body(receive: Receive) -> bytes | None:
    """The request's body; None where it is larger than any callback."""
    parts, size = [], 0
    while True:
        event = await receive()
        part = event.get("body", b"")
        size += len(part)
        if size > LARGEST_BODY or event["type"] == "http.disconnect":
            return None
        parts.append(part)
        if not event.get("more_body"):
            return b"".join(parts)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        event = await receive()
        await send({"type": f"{event['type']}.complete"})
        if event["type"] == "lifespan.shutdown":
            return
