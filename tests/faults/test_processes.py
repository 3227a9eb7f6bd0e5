"""Processes that die, stand still or are told twice, at each step of a running campaign."""

import time
from pathlib import Path

import pytest
from celery import current_app
from prometheus_client.parser import text_string_to_metric_families

from common.clock import now
from common.metrics import exposition
from common.tenancy import across_organizations
from config.processes import Supervisor
from config.stack import Stack
from messaging.metrics import FAMILIES
from messaging.models import Lane
from messaging.queries import gauges
from messaging.rules.pacing import LOOK_AHEAD
from messaging.rules.states import State
from tests.faults.conftest import Chance, Sender, freeze, restart, thaw, wait

pytestmark = pytest.mark.fault

PEOPLE = 200

STEPS = {"writing": (0, 0), "sending": (40, 140), "ending": (PEOPLE - 5, PEOPLE)}
"""How many texts have left, at least and at most, when it happens; while they are written a moment is waited."""
CHOSEN = ["any"] if Chance.SOAKING else list(STEPS)
"""A round of the soak takes one step of them for each process and signal."""


@pytest.mark.parametrize("step", CHOSEN)
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.slow) for kind in ("consumers", "jobs", "carrier-endpoint", "beat")]
)
def test_a_process_killed_at_any_step_loses_nothing(stack: Stack, chance: Chance, kind: str, step: str) -> None:
    sender = _sender_at(stack, chance, step)
    restart(stack, kind, after=chance.between(0, 2))
    assert sender.finish(seconds=90).handed_over == PEOPLE
    sender.prove()


@pytest.mark.parametrize(
    "step", [step if step in ("sending", "any") else pytest.param(step, marks=pytest.mark.slow) for step in CHOSEN]
)
def test_a_worker_killed_at_any_step_texts_nobody_twice(stack: Stack, chance: Chance, step: str) -> None:
    sender = _sender_at(stack, chance, step)
    restart(stack, "worker", after=chance.between(0, 2))
    progress = sender.finish(seconds=90)
    sender.prove()
    # What was claimed at the moment of death, a look-ahead of slots, may end as unconfirmed; nothing else may.
    assert progress.handed_over + progress.messages(State.UNCONFIRMED) == PEOPLE
    assert progress.messages(State.UNCONFIRMED) <= 100 * LOOK_AHEAD + 5


@pytest.mark.slow
@pytest.mark.parametrize("step", CHOSEN)
@pytest.mark.parametrize("kind", ["worker", "consumers", "jobs", "carrier-endpoint", "beat"])
def test_a_process_that_stands_still_at_any_step_loses_nothing(
    stack: Stack, chance: Chance, kind: str, step: str
) -> None:
    sender = _sender_at(stack, chance, step)
    freeze(stack.processes[kind])
    try:
        time.sleep(chance.between(1.5, 5.5))
    finally:
        thaw(stack.processes[kind])
    progress = sender.finish(seconds=90)
    time.sleep(1)  # whatever the woken one still wanted to do, it has done
    sender.prove()
    assert progress.handed_over + progress.messages(State.UNCONFIRMED) == PEOPLE
    assert progress.messages(State.UNCONFIRMED) <= (100 * LOOK_AHEAD + 5 if kind == "worker" else 0)


@pytest.mark.parametrize(
    "seconds", [(5, 12)] if Chance.SOAKING else [pytest.param((15, 25), marks=pytest.mark.slow), (5, 7)]
)
def test_a_worker_frozen_while_another_works_sends_nothing_when_it_wakes(
    stack: Stack, chance: Chance, seconds: tuple[float, float]
) -> None:
    second = stack.supervisor.start("worker")
    try:
        sender = _sender_at(stack, chance, "sending")
        freeze(stack.processes["worker"])
        time.sleep(chance.between(*seconds))
        thaw(stack.processes["worker"])
        sender.finish()
        time.sleep(2)  # whatever the woken one still wanted to do, it has done
        sender.prove()
    finally:
        stack.supervisor.end(second)


@pytest.mark.slow
def test_the_writing_killed_in_the_middle_goes_on_where_it_was(stack: Stack, chance: Chance) -> None:
    """Ten thousand people take the writers about a third of a second; nobody is left out or written twice."""
    people = 10_000
    sender = Sender(stack, people=people, rate=3000.0)
    sender.launch()
    wait(lambda: sender.progress().total > 0)
    time.sleep(chance.between(0, 0.2))
    restart(stack, "jobs")
    assert sender.finish(seconds=120).handed_over == people
    sender.prove()


@pytest.mark.slow
def test_two_hosts_part_the_numbers_and_one_takes_over_when_the_other_stops(
    stack: Stack, chance: Chance, tmp_path: Path
) -> None:
    """Two sets of processes with settings of their own, one of them cut off in the middle, then back."""
    other = {"DISPATCHERS": "1", "CARRIER_CONNECTIONS": "16", "LOG_LEVEL": "WARNING", "TZ": "Asia/Tokyo"}
    with Supervisor(tmp_path, stack.environment | other) as second:
        host = [second.start(kind) for kind in ("worker", "consumers", "jobs")]
        sender = Sender(stack, people=200, rate=10.0, numbers=8)
        also = Sender(stack, people=600, rate=50.0)
        wait(lambda: len(_holders()) == 3)  # two dispatchers here, one there
        sender.launch()
        also.launch()
        also.handed_over(int(chance.between(50, 300)))
        for process in host:
            freeze(process)
        wait(lambda: len(_holders()) == 2, seconds=15)
        for process in host:
            thaw(process)
        for one in (also, sender):
            progress = one.finish(seconds=120)
            one.prove()
            assert progress.handed_over + progress.messages(State.UNCONFIRMED) == len(one.phones)
        assert not any("Traceback" in process.log.read_text() for process in host)


def test_the_same_task_delivered_twice_changes_nothing(stack: Stack) -> None:
    sender = Sender(stack, people=PEOPLE)
    outreach = sender.launch()
    for _ in range(3):
        current_app.send_task("messaging.dispatch", queue="dispatch")
        current_app.send_task("messaging.consume_receipts", queue="receipts")
        current_app.send_task("campaigns.write_messages", [outreach.organization_id, outreach.id])
        current_app.send_task("campaigns.advance")
        time.sleep(0.5)
    progress = sender.finish()
    sender.prove()
    assert progress.handed_over == PEOPLE


def test_the_figures_of_every_process_come_together(stack: Stack) -> None:
    before = _figures()
    sender = Sender(stack, people=50)
    sender.launch()
    sender.finish()
    accepted = ("carillon_handovers_total", ("TWILIO", "ACCEPTED"))  # counted by dispatchers
    delivered = ("carillon_messages_total", ("DELIVERED",))  # and by consumers
    arrived = sender.progress().messages(State.DELIVERED)
    wait(lambda: _figures().get(accepted, 0) - before.get(accepted, 0) >= 50, seconds=15)
    wait(lambda: _figures().get(delivered, 0) - before.get(delivered, 0) >= arrived, seconds=15)
    found = _figures()
    assert found["carillon_carrier_seconds_count", ("TWILIO",)] >= 50
    assert found["carillon_permit_wait_seconds_count", ()] >= 50
    assert found["carillon_lanes_free", ()] == 0
    assert found["carillon_lanes_held", ()] > 0
    assert found["carillon_dispatchers", ()] > 0


def _figures() -> dict[tuple[str, tuple[str, ...]], float]:
    with across_organizations(because="the platform's own figures name no organization"):
        families = text_string_to_metric_families(exposition(FAMILIES, gauges(now=now())).decode())
    return {
        (sample.name, tuple(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in families
        for sample in family.samples
    }


def _sender_at(stack: Stack, chance: Chance, step: str) -> Sender:
    """A campaign that has come so far."""
    sender = Sender(stack, people=PEOPLE)
    sender.launch()
    low, high = STEPS[chance.random.choice(list(STEPS)) if step == "any" else step]
    if high:
        sender.handed_over(int(chance.between(low, high)))
    else:
        time.sleep(chance.between(0, 0.3))
    return sender


def _holders() -> set[str]:
    with across_organizations(because="lanes belong to the platform"):
        held = Lane.objects.filter(expires_at__gt=now())
        return {str(holder) for holder in held.values_list("holder", flat=True)}
