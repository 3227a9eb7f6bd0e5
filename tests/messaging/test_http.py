"""The lean HTTP client, against a server that says exactly what each test wants."""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from messaging.gateways.http import LARGEST_ANSWER, LeanClient, NotReached, NotWritten, Unanswered, form_value

OK = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"


class Server:
    """Answers each request with the next of `answers`, in parts; None closes the connection instead."""

    def __init__(self, answers: list[bytes | None]) -> None:
        self.answers, self.requests, self.connections = answers, list[bytes](), 0
        self.closes = False

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                break
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            self.requests.append(head + await reader.readexactly(length))
            answer = self.answers.pop(0) if self.answers else OK
            if answer is None:
                break
            for at in range(0, len(answer), 16_384):
                writer.write(answer[at : at + 16_384])
                await writer.drain()
            if self.closes:
                break
        writer.close()


def run(
    server: Server,
    work: Callable[[LeanClient], Awaitable[None]],
    *,
    connections: int = 2,
    timeout: float = 2.0,
    patience: float = 2.0,
) -> None:
    async def all_of_it() -> None:
        listening = await asyncio.start_server(server, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        client = LeanClient(
            f"http://127.0.0.1:{port}",
            headers={"X-Test": "yes"},
            connections=connections,
            timeout_seconds=timeout,
            keepalive_seconds=5.0,
            patience_seconds=patience,
        )
        try:
            await work(client)
        finally:
            await client.close()
            listening.close()

    asyncio.run(all_of_it())


def post(client: LeanClient, body: bytes = b"a=1", *, leave: bool = True) -> Awaitable[tuple[int, bytes]]:
    return client.post("/x", body, may_write=lambda: leave)


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_forms_are_read_as_they_were_written(form: dict[str, str]) -> None:
    written = "&".join(f"{form_value(name)}={form_value(value)}" for name, value in form.items())
    assert dict(parse_qsl(written, keep_blank_values=True)) == form
    assert written == urlencode(form)


def test_one_connection_serves_many_requests() -> None:
    server = Server([])

    async def work(client: LeanClient) -> None:
        for _ in range(5):
            assert await post(client) == (201, b"{}")

    run(server, work)
    assert server.connections == 1
    assert server.requests[0].startswith(b"POST /x HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"X-Test: yes\r\n" in server.requests[0]
    assert server.requests[0].endswith(b"\r\n\r\na=1")


@pytest.mark.parametrize(
    ("answer", "content"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"{}"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"abcde"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000, b"x" * 100_000),
    ],
    ids=["continue", "chunked", "empty", "long"],
)
def test_answers_of_every_form_are_read(answer: bytes, content: bytes) -> None:
    server = Server([answer, OK])

    async def work(client: LeanClient) -> None:
        assert (await post(client))[1] == content
        assert (await post(client))[1] == b"{}"

    run(server, work)
    assert server.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        None,
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"this is no HTTP\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (LARGEST_ANSWER * 2) + b"x" * (LARGEST_ANSWER * 2),
    ],
    ids=["closed", "half", "nonsense", "endless"],
)
def test_what_was_written_and_not_answered_is_in_doubt(answer: bytes | None) -> None:
    server = Server([answer])

    async def work(client: LeanClient) -> None:
        with pytest.raises(Unanswered):
            await post(client)
        assert await post(client) == (201, b"{}")  # over another connection

    run(server, work, timeout=0.5)
    assert server.connections == 2


def test_a_late_answer_is_nobodys() -> None:
    """After a time-out the socket is not used again: the next request would read the former one's answer."""
    server = Server([b"", OK])

    async def work(client: LeanClient) -> None:
        with pytest.raises(Unanswered):
            await post(client)
        assert await post(client) == (201, b"{}")

    run(server, work, timeout=0.2)
    assert server.connections == 2


def test_an_answer_that_nobody_asked_for_closes_the_connection() -> None:
    server = Server([OK + OK])

    async def work(client: LeanClient) -> None:
        assert await post(client) == (201, b"{}")
        await asyncio.sleep(0.05)
        assert await post(client) == (201, b"{}")

    run(server, work)
    assert server.connections == 2


def test_a_canceled_request_leaves_no_answer_behind() -> None:
    server = Server([b"", OK])

    async def work(client: LeanClient) -> None:
        task = asyncio.ensure_future(post(client))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await post(client) == (201, b"{}")

    run(server, work, connections=1)
    assert server.connections == 2


def test_connection_close_is_obeyed() -> None:
    server = Server([b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"])

    async def work(client: LeanClient) -> None:
        assert await post(client) == (200, b"")
        assert await post(client) == (201, b"{}")

    run(server, work)
    assert server.connections == 2


def test_without_leave_nothing_is_written() -> None:
    server = Server([])

    async def work(client: LeanClient) -> None:
        for _ in range(3):
            with pytest.raises(NotWritten):
                await post(client, leave=False)
        assert await post(client) == (201, b"{}")

    run(server, work, connections=1)
    assert len(server.requests) == 1


def test_no_more_than_the_limit_are_open_and_the_first_comes_first() -> None:
    server = Server([])
    order: list[int] = []

    async def work(client: LeanClient) -> None:
        async def one(number: int) -> None:
            await post(client)
            order.append(number)

        await asyncio.gather(*(one(number) for number in range(50)))

    run(server, work, connections=1)
    assert server.connections == 1
    assert order == list(range(50))


def test_who_waits_for_a_connection_that_breaks_gets_another() -> None:
    server = Server([None, OK, None, OK])

    async def work(client: LeanClient) -> None:
        results = await asyncio.gather(*(post(client) for _ in range(4)), return_exceptions=True)
        assert [isinstance(result, Unanswered) for result in results] == [True, False, True, False]

    run(server, work, connections=1)


def test_over_tls_the_certificate_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(served)
    server = Server([])

    async def all_of_it() -> None:
        listening = await asyncio.start_server(server, "127.0.0.1", 0, ssl=served)
        url = f"https://localhost:{listening.sockets[0].getsockname()[1]}"
        limits: dict[str, Any] = {
            "connections": 1,
            "timeout_seconds": 2.0,
            "keepalive_seconds": 5.0,
            "patience_seconds": 2.0,
        }
        stranger = LeanClient(url, headers={}, **limits)
        with pytest.raises(NotReached):
            await post(stranger)
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        client = LeanClient(url, headers={}, **limits)
        for _ in range(2):
            assert await post(client) == (201, b"{}")
        await client.close()
        listening.close()

    asyncio.run(all_of_it())
    assert server.connections == 1


def test_a_server_that_is_not_there_is_not_reached() -> None:
    async def all_of_it() -> None:
        client = LeanClient(
            "http://127.0.0.1:1", headers={}, connections=1, timeout_seconds=1, keepalive_seconds=1, patience_seconds=1
        )
        results = await asyncio.gather(*(post(client) for _ in range(3)), return_exceptions=True)
        assert all(isinstance(result, NotReached) for result in results)

    asyncio.run(all_of_it())


def test_a_refusal_without_length_is_read_by_its_status() -> None:
    server = Server([b"HTTP/1.1 429 Too Many\r\nConnection: close\r\n\r\nslow down", None])
    server.closes = True

    async def work(client: LeanClient) -> None:
        assert (await post(client))[0] == 429

    run(server, work)


def test_half_an_answer_that_nobody_asked_for_is_not_the_next_ones() -> None:
    server = Server([OK + b"HTTP/1.1 408 Request Time", OK])

    async def work(client: LeanClient) -> None:
        assert await post(client) == (201, b"{}")
        await asyncio.sleep(0.05)
        assert await post(client) == (201, b"{}")

    run(server, work)


def test_who_waits_too_long_for_a_connection_goes_without() -> None:
    server = Server([b""])

    async def work(client: LeanClient) -> None:
        first = asyncio.ensure_future(post(client))
        await asyncio.sleep(0.05)
        begin = time.monotonic()
        with pytest.raises(NotWritten):
            await post(client)
        assert time.monotonic() - begin < 1.0
        with pytest.raises(Unanswered):
            await first
        assert await post(client) == (201, b"{}")

    run(server, work, connections=1, timeout=1.5, patience=0.3)
    assert len(server.requests) == 2


def test_a_turn_that_comes_after_leave_is_over_opens_no_connection() -> None:
    server = Server([None])

    async def work(client: LeanClient) -> None:
        first = asyncio.ensure_future(post(client))
        await asyncio.sleep(0)
        with pytest.raises(NotWritten):
            await post(client, leave=False)
        with pytest.raises(Unanswered):
            await first
        assert await post(client) == (201, b"{}")

    run(server, work, connections=1)
    assert server.connections == 2
