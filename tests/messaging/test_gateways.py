"""The contract of a gateway, tried over HTTP against the simulator; the null gateway passes what applies to it."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.errors import TransientError
from config.processes import free_ports
from config.stack import AUTH_TOKEN, Simulator
from messaging.gateways.base import Answer, CarrierMessage, Gateway, Handover, OutboundText
from messaging.gateways.null.adapter import NullGateway
from messaging.gateways.twilio.adapter import TwilioGateway, _handover
from messaging.gateways.twilio.errors import KINDS, kind_of
from senders.queries import Credentials
from tests.servers import ROOT

SENDER = "+18885550100"


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    (port,) = free_ports(1)
    process = subprocess.Popen([sys.executable, "-m", "carriersim", "--port", str(port)], cwd=ROOT)
    found = Simulator(f"http://127.0.0.1:{port}")
    for _ in range(200):
        try:
            found.add_number(SENDER, rate=None, toll_free=True)
            break
        except OSError:
            time.sleep(0.05)
    yield found
    process.terminate()
    process.wait()


def text(phone: str = "+12567346043", sender: str = SENDER, body: str = "Hello") -> OutboundText:
    return OutboundText(message_id=7, sender=sender, phone=phone, body=body, callback_url="")


def with_gateway(
    simulator: Simulator, use: Callable[[Gateway], Coroutine[Any, Any, Any]], *, token: str = AUTH_TOKEN, url: str = ""
) -> Any:
    async def run() -> Any:
        credentials = Credentials(1, "TWILIO", simulator.account_sid, token, url or simulator.base_url)
        gateway = TwilioGateway(credentials, connections=2, timeout_seconds=0.5)
        try:
            return await use(gateway)
        finally:
            await gateway.close()

    return asyncio.run(run())


def send(simulator: Simulator, outbound: OutboundText, *, leave: bool = True, **arguments: str) -> Handover:
    found: Handover = with_gateway(
        simulator, lambda gateway: gateway.send(outbound, may_write=lambda: leave), **arguments
    )
    return found


def test_a_text_is_taken_and_named(simulator: Simulator) -> None:
    handover = send(simulator, text(body="Grüße & 100 % {é}"))
    assert handover.answer is Answer.ACCEPTED
    (carried,) = [row for row in simulator.texts(SENDER) if row["sid"] == handover.sid]
    assert (carried["body"], carried["to"]) == ("Grüße & 100 % {é}", "+12567346043")


def test_without_leave_nothing_is_written(simulator: Simulator) -> None:
    before = len(simulator.texts(SENDER))
    assert send(simulator, text(body="Too late"), leave=False).answer is Answer.NOT_WRITTEN
    assert len(simulator.texts(SENDER)) == before


@pytest.mark.parametrize(
    ("phone", "sender", "code"),
    [
        ("+15005550001", SENDER, 21211),
        ("+15005550004", SENDER, 21610),
        ("+15005550009", SENDER, 21614),
        ("+12567346043", "+15005550007", 21606),
        ("+12567346043", "+19995550000", 21606),
        (SENDER, SENDER, 21266),
    ],
)
def test_magic_numbers_are_refused_with_their_code(simulator: Simulator, phone: str, sender: str, code: int) -> None:
    assert send(simulator, text(phone, sender)) == Handover(Answer.REFUSED, error_code=code)


@pytest.mark.parametrize(
    ("mood", "answer"),
    [
        ("too_many", Answer.NOT_PROCESSED),
        ("error", Answer.UNKNOWN),
        ("nothing", Answer.UNKNOWN),
        ("half", Answer.UNKNOWN),
        ("silence", Answer.UNKNOWN),
    ],
)
def test_what_went_out_without_an_answer_is_unknown(simulator: Simulator, mood: str, answer: Answer) -> None:
    simulator.set_mood(answer=mood)
    try:
        assert send(simulator, text(body=f"In a mood: {mood}")).answer is answer
    finally:
        simulator.set_mood(answer="normal")


def test_a_carrier_that_is_not_there_is_no_unknown(simulator: Simulator) -> None:
    assert send(simulator, text(), url="http://127.0.0.1:1").answer is Answer.NO_CONNECTION


def test_refused_credentials_fail_no_text(simulator: Simulator) -> None:
    assert send(simulator, text(), token="another").answer is Answer.NOT_LET_IN


@pytest.mark.parametrize(
    ("status", "content", "answer"),
    [
        (429, b"", Answer.NOT_PROCESSED),
        (429, b"<html>", Answer.NOT_PROCESSED),
        (400, b"[1]", Answer.REFUSED),
        (400, b'{"code": "forbidden"}', Answer.REFUSED),
        (201, b"null", Answer.UNKNOWN),
        (201, b'{"sid": ["x"]}', Answer.UNKNOWN),
        (201, b'{"sid": "' + b"x" * 65 + b'"}', Answer.UNKNOWN),
        (302, b"", Answer.UNKNOWN),
    ],
)
def test_an_answer_that_is_not_the_carriers_json_is_read_by_its_status(
    status: int, content: bytes, answer: Answer
) -> None:
    handover = _handover(status, content)
    assert (handover.answer, handover.error_code, handover.sid) == (answer, None, "")


def test_what_was_sent_is_listed_for_reconciliation(simulator: Simulator) -> None:
    handover = send(simulator, text(phone="+12052212310", body="Find me"))

    async def listed(gateway: Gateway) -> list[CarrierMessage]:
        since = datetime.now(UTC) - timedelta(minutes=1)
        return [message async for message in gateway.sent_since(sender=SENDER, phone="+12052212310", since=since)]

    (found,) = with_gateway(simulator, listed)
    assert (found.sid, found.body, found.phone) == (handover.sid, "Find me", "+12052212310")
    with pytest.raises(TransientError):
        with_gateway(simulator, listed, token="another")


def test_a_blocked_phone_is_refused_until_it_writes_unstop(simulator: Simulator) -> None:
    phone = "+12563813450"
    for body, answer in (("STOP", Answer.REFUSED), ("unstop", Answer.ACCEPTED)):
        simulator.answer(phone=phone, sender=SENDER, body=body)
        assert send(simulator, text(phone, body=f"After {body}")).answer is answer


def test_the_null_gateway_takes_everything_that_has_leave() -> None:
    async def run() -> list[Answer]:
        gateway = NullGateway()
        return [(await gateway.send(text(), may_write=lambda leave=leave: leave)).answer for leave in (True, False)]  # type: ignore[misc]

    assert asyncio.run(run()) == [Answer.ACCEPTED, Answer.NOT_WRITTEN]


def test_every_code_has_one_kind_and_unknown_ones_are_unknown() -> None:
    assert kind_of(None) == kind_of(123) == kind_of(0)
    assert all(10_000 < code < 99_999 for code in KINDS)
