"""Messages a second from queue to carrier, every check on, two worker processes, sixteen numbers without limit.

Against one Celery task for each message, tuned and not, over the same tables and to the same simulator, in turns.
"""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from django.conf import settings

from bench.load import Load, make_load
from bench.report import line, middle, note, peak_mib, point
from config.stack import Stack
from senders.models import CarrierAccount

MESSAGES = 40_000
BASELINE_MESSAGES = 2_000
NULL_MESSAGES = 100_000
NUMBERS = 16
PROCESSES = 2
ROUNDS = 3
DISPATCHERS = (1, 2, 3, 4)
ENVIRONMENT = {"CARRIER_STATUS_CALLBACKS": "false"}


def run() -> None:
    ours: list[float] = []
    tuned: list[float] = []
    peak = 0
    for number in range(ROUNDS):
        note(f"dispatch: round {number + 1} of {ROUNDS}")
        tuned.append(_baseline("tuned", BASELINE_MESSAGES))
        rate, memory = _dispatch(MESSAGES, CarrierAccount.Gateway.TWILIO)
        ours.append(rate)
        peak = max(peak, memory)
        note(f"  tuned {tuned[-1]:.0f}/s, dispatch {ours[-1]:.0f}/s")
    for dispatchers in DISPATCHERS:
        rate, _ = _dispatch(MESSAGES, CarrierAccount.Gateway.TWILIO, dispatchers)
        point("throughput", "messages a second", dispatchers, rate)
        note(f"  {dispatchers} dispatchers: {rate:.0f}/s")
    untuned = _baseline("untuned", BASELINE_MESSAGES // 2)
    null, null_memory = _dispatch(NULL_MESSAGES, CarrierAccount.Gateway.NULL)
    reference = middle(tuned)
    common: dict[str, Any] = {
        "reference": round(reference, 1),
        "reference_is": "tuned task for each message",
        "processes": PROCESSES,
    }
    value = middle(ours)
    line(
        "dispatch", "http", value, "messages/s", **common, ratio=round(value / reference, 1), n=MESSAGES, peak_mib=peak
    )
    line(
        *("dispatch", "null", null, "messages/s"),
        **common,
        ratio=round(null / reference, 1),
        n=NULL_MESSAGES,
        peak_mib=null_memory,
    )
    line(
        *("dispatch", "baseline_untuned", untuned, "messages/s"),
        **common,
        ratio=round(untuned / reference, 2),
        n=BASELINE_MESSAGES // 2,
    )


def _dispatch(count: int, gateway: CarrierAccount.Gateway, dispatchers: int = PROCESSES) -> tuple[float, int]:
    without = ("web", "carrier-endpoint", "consumers", "jobs")
    environment = ENVIRONMENT | {"DISPATCHERS": str(dispatchers)}
    with Stack(Path(settings.DATA_DIR) / "logs", environment=environment, without=without) as stack:
        load = make_load(stack, count=count, numbers=NUMBERS, gateway=gateway)
        time.sleep(6)  # workers and beat are up, lanes are shared out
        load.release()
        seconds = _until_done(load)
        peak = peak_mib(stack.processes["worker"].pid)
        if gateway == CarrierAccount.Gateway.TWILIO:
            verdict = stack.simulator.record([number.sender for number in load.tenant.numbers])
            assert verdict["accepted"] == count, verdict
            assert verdict["texted_twice"] == 0
        return count / seconds, peak


def _baseline(kind: str, count: int) -> float:
    without = ("web", "carrier-endpoint", "consumers", "jobs", "worker", "beat")
    with Stack(Path(settings.DATA_DIR) / "logs", without=without) as stack:
        load = make_load(stack, count=count, numbers=NUMBERS)
        arguments = ["-A", "bench.baseline", "--quiet", "worker", "--queues", "baseline", "--concurrency", "2"]
        worker = subprocess.Popen(
            [sys.executable, "-m", "celery", *arguments, "--loglevel", "ERROR", "--without-gossip", "--without-mingle"],
            env=stack.supervisor.environment | {"BASELINE": kind},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            time.sleep(5)
            from bench.baseline import send

            begin = time.monotonic()
            for message_id in load.ids():
                send.delay(message_id)
            _until_done(load)
            return count / (time.monotonic() - begin)
        finally:
            worker.terminate()
            worker.wait()


def _until_done(load: Load) -> float:
    """Wait until every message is handed over; the seconds it took."""
    begin = time.monotonic()
    while load.left():
        time.sleep(0.05)
        if time.monotonic() - begin > 90:
            raise SystemExit("the bench did not come to its end")
    seconds = time.monotonic() - begin
    assert load.accepted() == load.count
    return seconds
