"""A lean HTTP/1.1 client for the hot path: POST over kept-alive connections, nothing else.

aiohttp costs 150-190 us of processor a request, this some 30 (docs/decisions/0010): at ten thousand texts a second that
is the difference. It tells apart what invariant 1 needs: nothing was written, or something was and no answer came.
"""

import asyncio
import ssl
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import cast
from urllib.parse import urlsplit

import httptools

LARGEST_ANSWER = 1024 * 1024
_FORM = [
    chr(byte) if (chr(byte).isalnum() and byte < 128) or chr(byte) in "-._~" else f"%{byte:02X}" for byte in range(256)
]
_FORM[ord(" ")] = "+"
_REFUSALS = range(400, 500)


class NotWritten(Exception):
    """Leave was refused at the last moment: nothing left this machine."""


class NotReached(Exception):
    """No connection: nothing left this machine."""


class Unanswered(Exception):
    """The request was written, at least in part, and no whole answer came."""


def form_value(text: str) -> str:
    """A value of an `application/x-www-form-urlencoded` body."""
    return "".join([_FORM[byte] for byte in text.encode()])


class LeanClient:
    """Requests to one server, over at most `connections` at a time. Create it inside the event loop that uses it.

    Who waits for a connection longer than the patience goes without: leave to write would be over.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str],
        connections: int,
        timeout_seconds: float,
        keepalive_seconds: float,
        patience_seconds: float,
    ) -> None:
        parts = urlsplit(base_url)
        self._host = parts.hostname or ""
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)
        lines = {"Host": parts.netloc.rpartition("@")[2], **headers}
        self._headers = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self._limit, self._timeout, self._keepalive = connections, timeout_seconds, keepalive_seconds
        self._patience = patience_seconds
        self._idle: list[_Connection] = []
        self._open = 0
        self._waiting: deque[asyncio.Future[_Connection | None]] = deque()
        self._loop = asyncio.get_running_loop()

    async def post(self, path: str, body: bytes, *, may_write: Callable[[], bool]) -> tuple[int, bytes]:
        """The status and content of the answer. `may_write` is asked right before the first byte leaves.

        Raises NotWritten, NotReached, Unanswered.
        """
        connection = await self._connection(may_write)
        if not may_write():
            self._give_back(connection)
            raise NotWritten
        head = f"POST {path} HTTP/1.1\r\n{self._headers}Content-Length: {len(body)}\r\n\r\n"
        try:
            return await connection.request(head.encode() + body, self._timeout)
        finally:
            self._give_back(connection)

    async def close(self) -> None:
        for connection in self._idle:
            connection.abort()
        self._idle.clear()

    async def _connection(self, may_write: Callable[[], bool]) -> "_Connection":
        """One that is free, a new one, or the next that becomes free: first come, first served. Raises NotWritten."""
        while self._idle:
            connection = self._idle.pop()
            if connection.usable(self._keepalive):
                return connection
            self._forget(connection)
        if self._open < self._limit:
            self._open += 1
            return await self._connect()
        turn: asyncio.Future[_Connection | None] = self._loop.create_future()
        self._waiting.append(turn)
        end = self._loop.call_later(self._patience, _lose_patience, turn)
        try:
            given = await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._pass_on(turn.result())
            raise
        finally:
            end.cancel()
        if given is None and not may_write():  # not worth a connection any more
            self._pass_on(None)
            raise NotWritten
        return given or await self._connect()

    async def _connect(self) -> "_Connection":
        """A new one, in a place that is counted already."""
        try:
            async with asyncio.timeout(self._timeout):
                name = self._host if self._tls else None
                _, connection = await self._loop.create_connection(
                    _Connection, self._host, self._port, ssl=self._tls, server_hostname=name
                )
        except (OSError, TimeoutError) as error:
            self._pass_on(None)
            raise NotReached from error
        except asyncio.CancelledError:
            self._pass_on(None)
            raise
        return connection

    def _give_back(self, connection: "_Connection") -> None:
        if connection.usable(self._keepalive):
            self._pass_on(connection)
        else:
            self._forget(connection)

    def _forget(self, connection: "_Connection") -> None:
        connection.abort()
        self._pass_on(None)

    def _pass_on(self, connection: "_Connection | None") -> None:
        """To whoever waits longest; None: the place of one, to connect anew."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(connection)
                return
        if connection is None:
            self._open -= 1
        else:
            self._idle.append(connection)


def _lose_patience(turn: "asyncio.Future[_Connection | None]") -> None:
    if not turn.done():
        turn.set_exception(NotWritten())


class _Connection(asyncio.Protocol):
    """One socket, one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._keep = True
        self._used_at = time.monotonic()
        self._parser = httptools.HttpResponseParser(self)
        self._parts: list[bytes] = []
        self._size = 0
        self._status = 0  # of the answer whose head is there

    def usable(self, keepalive: float) -> bool:
        """Whether the next request may go over it: it is open, and was used a short while ago."""
        transport = self._transport
        if transport is None or transport.is_closing() or not self._keep:
            return False
        return time.monotonic() - self._used_at < keepalive

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    async def request(self, data: bytes, timeout: float) -> tuple[int, bytes]:
        """Write a request and wait for the whole answer. Raises NotReached, Unanswered."""
        if self._transport is None or self._transport.is_closing():
            raise NotReached
        loop = asyncio.get_running_loop()
        self._answer = loop.create_future()
        self._transport.write(data)
        end = loop.call_later(timeout, self._fail)
        try:
            return await self._answer
        finally:
            end.cancel()
            self._keep = self._keep and self._answer.done() and not self._answer.cancelled()
            self._answer, self._used_at = None, time.monotonic()

    def _fail(self) -> None:
        """No answer any more: what comes later on this socket belongs to nobody."""
        self._keep = False
        self.abort()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Unanswered())

    # What the transport tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():  # nobody asked
            self._fail()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._fail()

    def eof_received(self) -> None:
        # A refusal needs no body: its status says that nothing was taken, though its length was never told.
        if self._status in _REFUSALS and self._answer is not None and not self._answer.done():
            self._keep = False
            self._answer.set_result((self._status, b"".join(self._parts)))
        else:
            self._fail()

    def connection_lost(self, error: Exception | None) -> None:
        self._fail()

    # What the parser tells.

    def on_message_begin(self) -> None:
        if self._answer is None or self._answer.done():  # more than was asked for
            self._fail()

    def on_headers_complete(self) -> None:
        self._status = self._parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size > LARGEST_ANSWER:
            self._fail()
        else:
            self._parts.append(body)

    def on_message_complete(self) -> None:
        status, content = self._parser.get_status_code(), b"".join(self._parts)
        self._parts, self._size, self._status = [], 0, 0
        if status < 200:  # the answer is still to come
            return
        if self._answer is None or self._answer.done():  # nobody asked
            self._fail()
            return
        self._keep = self._keep and self._parser.should_keep_alive()
        self._answer.set_result((status, content))
