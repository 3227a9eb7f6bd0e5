"""A thousand slow numbers at once, and a tenant with ten messages beside one with a million."""

import time
from pathlib import Path

from django.conf import settings

from bench.load import make_load
from bench.report import line, note, peak_mib
from config.stack import Stack

NUMBERS = 1_000
RATE = 3.0
SECONDS = 30
SETTLING = 5
MILLION = 1_000_000
BESIDE = 10
WANTED_SHARE = 0.97
WANTED_SECONDS = 2.0
ENVIRONMENT = {"CARRIER_STATUS_CALLBACKS": "false"}
WITHOUT = ("web", "carrier-endpoint", "consumers", "jobs")


def run() -> None:
    _many_numbers()
    _ten_beside_a_million()


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
