"""A thousand slow numbers at once; ten messages beside a million; a claim behind a million paused ones."""

import time
from pathlib import Path
from statistics import median
from uuid import uuid4

from django.conf import settings

from bench.load import draft, make_load
from bench.report import line, note, peak_mib
from bench.tenant import analyze
from billing.actions import reserve
from common.clock import now
from common.tenancy import across_organizations, organization_scope
from config.stack import Stack
from messaging.actions.claims import Want, claim_due
from messaging.actions.queueing import queue_messages
from messaging.actions.streams import open_stream
from messaging.queries import due_streams
from messaging.rules.kinds import TextKind

NUMBERS = 1_000
RATE = 3.0
SECONDS = 30
SETTLING = 5
MILLION = 1_000_000
BESIDE = 10
WANTED_SHARE = 0.97
WANTED_SECONDS = 2.0
CLAIMS = 50
WANTED_MS = 5.0
ENVIRONMENT = {"CARRIER_STATUS_CALLBACKS": "false"}
WITHOUT = ("web", "carrier-endpoint", "consumers", "jobs")


def run() -> None:
    _many_numbers()
    _ten_beside_a_million()
    _claim_behind_a_million()


def _many_numbers() -> None:
    with Stack(Path(settings.DATA_DIR) / "logs", environment=ENVIRONMENT, without=WITHOUT) as stack:
        load = make_load(stack, count=int(NUMBERS * RATE * (SECONDS + SETTLING * 2)), numbers=NUMBERS, rate=RATE)
        note(f"{NUMBERS} numbers with {load.count} messages")
        load.release()
        time.sleep(SETTLING)
        before = load.accepted()
        begin = time.monotonic()
        time.sleep(SECONDS)
        speed = (load.accepted() - before) / (time.monotonic() - begin)
        load.pause()
        time.sleep(1)
        verdict = stack.simulator.record([number.sender for number in load.tenant.numbers])
        assert verdict["texted_twice"] == 0
        line(
            "fairness",
            f"{NUMBERS} numbers",
            speed,
            "segments/s",
            reference=NUMBERS * RATE,
            reference_is="allowed together",
            ratio=round(speed / (NUMBERS * RATE), 3),
            wanted=WANTED_SHARE,
            over_rate_seconds=verdict["over_rate_seconds"],
            seconds_apart=verdict["over_rate_seconds_while_simulator_lagged"],
            processes=2,
            peak_mib=peak_mib(stack.processes["worker"].pid),
        )


def _ten_beside_a_million() -> None:
    with Stack(Path(settings.DATA_DIR) / "logs", environment=ENVIRONMENT, without=WITHOUT) as stack:
        large = make_load(stack, count=MILLION, numbers=16)
        small = make_load(stack, count=BESIDE, numbers=1)
        note(f"{MILLION} messages beside {BESIDE}")
        large.release()
        time.sleep(SETTLING)
        begin = time.monotonic()
        small.release()
        while small.accepted() < BESIDE:
            time.sleep(0.01)
            assert time.monotonic() - begin < 60
        waited = time.monotonic() - begin
        large.pause()
        line(
            "fairness",
            "ten beside a million",
            waited,
            "s",
            reference=WANTED_SECONDS,
            reference_is="at most",
            ratio=round(waited / WANTED_SECONDS, 3),
            n=MILLION,
            processes=2,
            peak_mib=peak_mib(stack.processes["worker"].pid),
        )


def _claim_behind_a_million() -> None:
    """Ten messages of the very number that a million paused ones wait for: looked for and claimed, again and again."""
    with Stack(Path(settings.DATA_DIR) / "logs", environment=ENVIRONMENT, without=(*WITHOUT, "worker")) as stack:
        paused = make_load(stack, count=MILLION, numbers=1)
        number = paused.tenant.numbers[0]
        with organization_scope(paused.tenant.organization.id):
            stream = open_stream(
                number=number,
                kind=TextKind.CAMPAIGN,
                source="bench:beside",
                program_id=paused.tenant.program.id,
                reservation_id=reserve(
                    credits=CLAIMS * BESIDE, reference="beside", actor=paused.tenant.owner, now=now()
                ).id,
                now=now(),
            )
            drafts = [draft(f"+1205{2_000_000 + index:07}", segments=2) for index in range(CLAIMS * BESIDE)]
            queue_messages(stream, drafts, carrier_account_id=number.carrier_account_id, now=now())
        analyze()
        took, after = list[float](), 0
        with across_organizations(because="a dispatcher serves everybody"):
            for _ in range(CLAIMS):
                begin = time.perf_counter()
                due = due_streams([number.lane], cursors={stream.id: after}, now=now())
                want = Want(stream.id, number.id, after, BESIDE * 2)
                claims = claim_due([want], claim_id=uuid4(), now=now())
                took.append((time.perf_counter() - begin) * 1000)
                assert stream.id in [one.stream_id for one in due]
                assert [claim.state for claim in claims] == ["CLAIMED"] * BESIDE
                after = claims[-1].message_id
        line(
            "fairness",
            "claim behind a million paused",
            median(took),
            "ms",
            reference=WANTED_MS,
            reference_is="at most",
            ratio=round(median(took) / WANTED_MS, 3),
            worst_ms=round(max(took), 1),
            n=CLAIMS,
        )
