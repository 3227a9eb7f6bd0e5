"""Signed callbacks a second that one endpoint process accepts with every worker down, and how fast they are applied."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

from django.conf import settings
from twilio.request_validator import RequestValidator

from bench.load import Load, make_load
from bench.report import line, note, peak_mib
from common.clock import now
from common.tenancy import across_organizations, organization_scope
from config.stack import AUTH_TOKEN, Stack
from messaging.actions.claims import Want, claim_due
from messaging.actions.settling import Settlement, settle
from messaging.models import CarrierEvent, Message, Stream
from messaging.rules.states import State

CALLBACKS = 60_000
NUMBERS = 16
CONNECTIONS = 100
ACCEPTED_WANTED = 5_000.0


def run() -> None:
    with Stack(Path(settings.DATA_DIR) / "logs", without=("web", "worker", "consumers", "jobs", "beat")) as stack:
        load = make_load(stack, count=CALLBACKS, numbers=NUMBERS)
        _hand_over(load)
        requests = _requests(load, stack)
        note(f"{len(requests)} callbacks")
        before = _waiting()
        begin = time.monotonic()
        asyncio.run(_post(requests, stack.callback_url))
        accepted = time.monotonic() - begin
        assert _waiting() - before == len(requests), "one was lost"
        peak = peak_mib(stack.processes["carrier-endpoint"].pid)
        line(
            *("receipts", "accepted", len(requests) / accepted, "callbacks/s"),
            reference=ACCEPTED_WANTED,
            reference_is="wanted",
            ratio=round(len(requests) / accepted / ACCEPTED_WANTED, 2),
            n=len(requests),
            processes=1,
            peak_mib=peak,
        )
        begin = time.monotonic()
        consumers = stack.supervisor.start("consumers")
        stack.supervisor.start("beat")
        first = 0.0
        while left := _waiting():
            if left < len(requests) and not first:
                first = time.monotonic() - begin
            time.sleep(0.02)
            assert time.monotonic() - begin < 90
        applied = time.monotonic() - begin - first
        with organization_scope(load.tenant.organization.id):
            assert Message.objects.filter(state=State.DELIVERED).count() == CALLBACKS
        line(
            *("receipts", "applied", len(requests) / applied, "callbacks/s"),
            reference=round(len(requests) / accepted, 1),
            reference_is="accepted",
            ratio=round(accepted / applied, 2),
            n=len(requests),
            processes=1,
            peak_mib=peak_mib(consumers.pid),
        )


def _waiting() -> int:
    with across_organizations(because="callbacks wait for every organization in one queue"):
        return CarrierEvent.objects.count()


def _hand_over(load: Load) -> None:
    """Every message as if it had been handed over."""
    load.release()
    with organization_scope(load.tenant.organization.id):
        streams = list(Stream.objects.filter(source=load.source).values_list("id", "sender_number_id"))
    while True:
        with across_organizations(because="as a dispatcher"):
            wants = [Want(stream, number, 0, 1_000) for stream, number in streams]
            claims = claim_due(wants, claim_id=uuid4(), now=now())
            settle([Settlement(one.message_id, State.ACCEPTED, sid=f"SM{one.message_id}") for one in claims], now=now())
        if not claims:
            return


def _requests(load: Load, stack: Stack) -> list[bytes]:
    """What the carrier would post: whole requests, signed."""
    host = urlsplit(stack.callback_url).netloc
    signer = RequestValidator(AUTH_TOKEN)
    found = []
    for message_id in load.ids():
        path = f"/carrier/twilio/status/{message_id}"
        form = {
            "MessageSid": f"SM{message_id}",
            "MessageStatus": "delivered",
            "AccountSid": stack.simulator.account_sid,
            "To": "+12052000000",
            "From": "+18885550100",
        }
        signature = signer.compute_signature(f"{stack.callback_url}{path}", form)
        body = urlencode(form).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {host}\r\nX-Twilio-Signature: {signature}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        found.append(head.encode() + body)
    return found


async def _post(requests: Sequence[bytes], url: str) -> None:
    """Over so many connections at once; each waits for its answer."""
    parts = urlsplit(url)
    waiting = iter(requests)

    async def one_connection() -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        for request in waiting:
            writer.write(request)
            answer = await reader.readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 204"), answer
        writer.close()

    await asyncio.gather(*(one_connection() for _ in range(CONNECTIONS)))
