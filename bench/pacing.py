"""Invariant 3 at the simulator, by its own clock: five rates at once, one and four dispatchers, for a minute each.

On each rate two numbers: one with texts of one segment, one with texts of one to four. Replies go in between, and
every few seconds all lanes are taken away from their holders.
"""

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from bench.load import BATCH, draft
from bench.report import line, note, peak_mib, point
from billing.actions import reserve
from common.clock import now
from common.sql import run as execute
from common.tenancy import across_organizations, organization_scope
from config.demo.seed import Tenant, seed_tenant
from config.stack import Stack
from consent.actions import grant_by_import, state_import
from consent.rules.media import Medium
from messaging.actions.queueing import queue_compliance_reply, queue_messages
from messaging.actions.streams import open_stream
from messaging.rules.kinds import TextKind
from senders.models import SenderKind, SenderNumber

RATES = (1, 3, 30, 100, 500)
PROCESSES = (1, 4)
SECONDS = 60
SETTLING = 3
HAND_OVER_EVERY = 5
REPLIES_A_SECOND = 0.05  # of the rate
ENVIRONMENT = {"CARRIER_STATUS_CALLBACKS": "false"}
_SERIALS = itertools.count()


@dataclass(frozen=True, slots=True)
class Lane:
    """A number of a rate, with texts of `segments` in turn."""

    rate: int
    number: SenderNumber
    segments: Sequence[int]


def run() -> None:
    for processes in PROCESSES:
        note(f"pacing: {processes} dispatchers, {SECONDS} s")
        workers = [min(processes, 2)] * (processes // min(processes, 2))
        without = ("web", "carrier-endpoint", "consumers", "jobs", "worker")
        with Stack(Path(settings.DATA_DIR) / "logs", environment=ENVIRONMENT, without=without) as stack:
            started = [
                stack.supervisor.start("worker", environment={"DISPATCHERS": str(children)}) for children in workers
            ]
            tenant, lanes = _prepare(stack)
            time.sleep(6)
            _release(tenant, lanes)
            _keep_busy(tenant, lanes)
            verdict = stack.simulator.record([lane.number.sender for lane in lanes])
            assert verdict["texted_twice"] == 0
            peak = max(peak_mib(worker.pid) for worker in started)
            for rate in RATES:
                _tell(stack, [lane for lane in lanes if lane.rate == rate], verdict, processes, peak)


def _prepare(stack: Stack) -> tuple[Tenant, list[Lane]]:
    tenant = seed_tenant(stack, now=now(), rate=None, numbers=len(RATES) * 2, kind=SenderKind.LOCAL, credits=10_000_000)
    lanes = []
    with organization_scope(tenant.organization.id):
        for (rate, segments), number in zip(
            itertools.product(RATES, ((1,), (1, 2, 3, 4))), tenant.numbers, strict=True
        ):
            SenderNumber.objects.filter(id=number.id).update(segments_per_second=rate)
            stack.simulator.add_number(number.sender, rate=rate)
            lanes.append(Lane(rate, number, segments))
    return tenant, lanes


def _release(tenant: Tenant, lanes: Sequence[Lane]) -> None:
    """More than each number can send in the time."""
    with organization_scope(tenant.organization.id):
        statement = state_import(
            program=tenant.program, medium=Medium.WEB_FORM, agreed_at=now(), how="bench", actor=tenant.owner, now=now()
        )
        reservation = reserve(credits=1_000_000, reference="pacing", actor=tenant.owner, now=now())
        for lane in lanes:
            mean = sum(lane.segments) / len(lane.segments)
            count = int(lane.rate * (SECONDS + 15) / mean) + 10
            phones = [f"+1205{2_000_000 + next(_SERIALS):07}" for _ in range(count)]
            for at in range(0, count, BATCH):
                grant_by_import(statement, phones[at : at + BATCH], now=now())
            stream = open_stream(
                number=lane.number,
                kind=TextKind.CAMPAIGN,
                source=f"pacing:{lane.number.id}",
                program_id=tenant.program.id,
                reservation_id=reservation.id,
                now=now(),
            )
            drafts = [draft(phone, lane.segments[at % len(lane.segments)]) for at, phone in enumerate(phones)]
            for at in range(0, count, BATCH):
                queue_messages(
                    stream, drafts[at : at + BATCH], carrier_account_id=lane.number.carrier_account_id, now=now()
                )


def _keep_busy(tenant: Tenant, lanes: Sequence[Lane]) -> None:
    """Answers in between, and hand-overs of all lanes by force, until the time is over."""
    begin = time.monotonic()
    handed_over, answered = begin, dict.fromkeys(range(len(lanes)), 0)
    while (elapsed := time.monotonic() - begin) < SECONDS + SETTLING * 2:
        with organization_scope(tenant.organization.id):
            for at, lane in enumerate(lanes):
                while answered[at] < elapsed * lane.rate * REPLIES_A_SECOND:
                    answered[at] += 1
                    serial = next(_SERIALS)
                    queue_compliance_reply(
                        lane.number,
                        phone=f"+1205{2_000_000 + serial:07}",
                        body="You get no more texts.",
                        reply_key=f"pacing:{serial}:{begin}",
                        now=now(),
                    )
        if time.monotonic() - handed_over > HAND_OVER_EVERY:
            handed_over = time.monotonic()
            with across_organizations(because="lanes belong to no organization"):
                execute("UPDATE messaging_lane SET holder = NULL, expires_at = NULL")
        time.sleep(0.2)


def _tell(stack: Stack, lanes: Sequence[Lane], verdict: dict[str, Any], processes: int, peak: int) -> None:
    """One line for a rate: the slower of its two numbers, and the worse of their seconds against what is allowed."""
    rate = lanes[0].rate
    speeds = []
    for lane in lanes:
        arrivals = stack.simulator.arrivals(lane.number.sender)
        begin = arrivals[0][0] + SETTLING
        inside = [(at, size) for at, size in arrivals if begin <= at < begin + SECONDS]
        for second in range(SECONDS if len(lane.segments) == 1 and processes == PROCESSES[-1] else 0):
            inside_it = sum(size for at, size in arrivals if begin + second <= at < begin + second + 1)
            point("pacing", f"{rate} a second", second, inside_it / rate)
        # From the first to the last: a text of four segments at the edge of the minute is neither in nor out.
        speeds.append(sum(size for _, size in inside[:-1]) / (inside[-1][0] - inside[0][0]))
    worst = {
        "single" if len(lane.segments) == 1 else "mixed": verdict["worst_second"][lane.number.sender] for lane in lanes
    }
    line(
        "pacing",
        f"r{rate}",
        min(speeds),
        "segments/s",
        reference=rate,
        reference_is="allowed",
        share=round(min(speeds) / rate, 3),
        worst_second=worst,
        allowed_second={"single": rate, "mixed": rate + 4},
        over_rate_seconds=verdict["over_rate_seconds"],
        seconds_apart=verdict["over_rate_seconds_while_simulator_lagged"],
        processes=processes,
        peak_mib=peak,
    )
