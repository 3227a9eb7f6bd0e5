"""A small HTTP/1.1 server on asyncio: keep-alive, bodies by length, one answer after the other on a connection.

A framework would cost five times as much for each message, on the cores that the benchmarks measure.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httptools

_PHRASES = {200: "OK", 201: "Created", 204: "No Content", 303: "See Other", 400: "Bad Request", 401: "Unauthorized",
            404: "Not Found", 429: "Too Many Requests", 500: "Internal Server Error"}  # fmt: skip


@dataclass(slots=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    def all_of(self, name: str) -> tuple[str, ...]:
        """Every value of a field that may come several times."""
        if name.encode() not in self.body:
            return ()
        return tuple(value for key, value in parse_qsl(self.body.decode(), keep_blank_values=True) if key == name)

    def json(self) -> Any:
        return json.loads(self.body or b"{}")


@dataclass(slots=True)
class Response:
    """`delay` in seconds; `drop`: close the connection instead of (or after `cut` bytes of) the answer."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    location: str = ""
    delay: float = 0.0
    drop: bool = False
    cut: int | None = None

    def encode(self) -> bytes:
        head = (
            f"HTTP/1.1 {self.status} {_PHRASES[self.status]}\r\nContent-Type: {self.content_type}\r\n"
            f"Content-Length: {len(self.body)}\r\n"
        )
        if self.location:
            head += f"Location: {self.location}\r\n"
        return head.encode() + b"\r\n" + self.body


Handler = Callable[[Request], Response | Awaitable[Response]]


class _Connection(asyncio.Protocol):
    """Parses requests and answers them in order."""

    def __init__(self, handle: Handler) -> None:
        self._handle = handle
        self._parser: Any = httptools.HttpRequestParser(self)
        self._transport: Any = None
        self._last: asyncio.Task[None] | None = None
        self._begin()

    def _begin(self) -> None:
        self._url = b""
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.close()

    # httptools' callbacks

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode().lower()] = value.decode()

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        parts = urlsplit(self._url.decode())
        request = Request(
            method=self._parser.get_method().decode(),
            path=parts.path,
            query=dict(parse_qsl(parts.query)) if parts.query else {},
            headers=self._headers,
            body=b"".join(self._body),
        )
        self._begin()
        answer = self._handle(request)
        if isinstance(answer, Response) and not answer.delay and self._last is None:
            self._write(answer)
        else:
            self._last = asyncio.ensure_future(self._write_later(answer, self._last))

    async def _write_later(self, answer: Response | Awaitable[Response], former: asyncio.Task[None] | None) -> None:
        if former is not None:
            await former
        response = answer if isinstance(answer, Response) else await answer
        if response.delay:
            await asyncio.sleep(response.delay)
        self._write(response)
        if self._last is asyncio.current_task():
            self._last = None

    def _write(self, response: Response) -> None:
        if self._transport.is_closing():
            return
        if response.drop:
            if response.cut:
                self._transport.write(response.encode()[: response.cut])
            self._transport.close()
        else:
            self._transport.write(response.encode())


async def serve(handle: Handler, *, port: int) -> asyncio.Server:
    """Listen on loopback alone."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: _Connection(handle), "127.0.0.1", port)


def json_response(content: Any, status: int = 200) -> Response:
    return Response(status, json.dumps(content).encode())
