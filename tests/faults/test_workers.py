"""What is broken on purpose: workers that die, stand still, or are told twice."""

import time

import pytest
from celery import current_app

from audiences.models import Exclusion
from common.tenancy import organization_scope
from config.stack import Stack
from consent.queries import is_opted_out
from messaging.rules.pacing import LOOK_AHEAD
from messaging.rules.states import State
from tests.faults.conftest import Sender, freeze, kill, thaw

pytestmark = pytest.mark.fault


def test_a_worker_killed_in_the_middle_texts_nobody_twice(stack: Stack, sender: Sender) -> None:
    sender.launch()
    sender.handed_over(120)
    kill(stack.processes["worker"])
    stack.supervisor.running.remove(stack.processes["worker"])
    stack.processes["worker"] = stack.supervisor.start("worker")
    progress = sender.finish()
    sender.prove()
    # What was claimed at the moment of death, a look-ahead of slots, may end as unconfirmed; nothing else may.
    assert progress.handed_over + progress.messages(State.UNCONFIRMED) == 500
    assert progress.messages(State.UNCONFIRMED) <= 100 * LOOK_AHEAD + 5


def test_a_worker_frozen_for_twenty_seconds_sends_nothing_when_it_wakes(stack: Stack, sender: Sender) -> None:
    second = stack.supervisor.start("worker")
    try:
        sender.launch()
        sender.handed_over(100)
        frozen = stack.processes["worker"]
        freeze(frozen)
        time.sleep(20)
        thaw(frozen)
        sender.finish()
        time.sleep(2)  # whatever the woken one still wanted to do, it has done
        sender.prove()
    finally:
        stack.supervisor.end(second)


def test_the_same_task_delivered_twice_changes_nothing(stack: Stack, sender: Sender) -> None:
    outreach = sender.launch()
    for _ in range(3):
        current_app.send_task("messaging.dispatch", queue="dispatch")
        current_app.send_task("messaging.consume_receipts", queue="receipts")
        current_app.send_task("campaigns.write_messages", [outreach.organization_id, outreach.id])
        current_app.send_task("campaigns.advance")
        time.sleep(0.5)
    progress = sender.finish()
    sender.prove()
    assert progress.handed_over == 500


def test_a_stop_is_obeyed_within_a_second_and_by_the_next_campaign(stack: Stack) -> None:
    sender = Sender(stack, people=5)
    sender.launch()
    sender.finish()
    phone = sender.phones[0]
    stack.simulator.answer(phone=phone, sender=sender.number.sender, body="Stop")
    typed = time.monotonic()
    stopped = False
    while not stopped and time.monotonic() - typed < 5:
        with organization_scope(sender.tenant.organization.id):
            stopped = is_opted_out(phone)
        time.sleep(0.02)
    assert time.monotonic() - typed < 1.0
    following = sender.launch(body="Another text for {{ first_name }}.")
    sender.finish()
    sender.prove()
    with organization_scope(sender.tenant.organization.id):
        assert list(Exclusion.objects.filter(outreach_id=following.id).values_list("phone", "reason")) == [
            (phone, "opted_out")
        ]


MOODS = [
    ("too_many", 0.3, 500),
    ("error", 0.1, 440),  # the carrier did not take it and could not say so: unconfirmed in the end
    ("nothing", 0.1, 440),
    ("half", 0.1, 500),  # taken, and half an answer: found by asking
    ("silence", 0.02, 500),  # taken, and no answer at all
]


@pytest.mark.parametrize(
    ("answer", "share", "at_least"),
    [
        pytest.param(*mood, marks=[pytest.mark.slow] if mood[0] in ("error", "nothing", "half") else [])
        for mood in MOODS
    ],
)
def test_a_carrier_in_a_bad_mood_is_asked_never_told_twice(
    stack: Stack, sender: Sender, answer: str, share: float, at_least: int
) -> None:
    stack.simulator.set_mood(answer=answer, share=share)
    try:
        sender.launch()
        sender.finish(seconds=90)
    finally:
        stack.simulator.set_mood(answer="normal")
    sender.prove()
    assert sender.progress().handed_over >= at_least
