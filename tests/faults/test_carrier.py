"""A carrier in every bad mood: storms of 429, errors, silence, half an answer, receipts in any order, none at all."""

import time

import pytest

from common.clock import now
from common.tenancy import organization_scope
from config.stack import Stack
from messaging.queries import outages
from messaging.rules.pacing import LOOK_AHEAD
from messaging.rules.states import State
from tests.faults.conftest import Chance, Sender, wait

pytestmark = pytest.mark.fault

MOODS = [
    ("too_many", (0.1, 0.5), 1.0),
    ("error", (0.05, 0.15), 0.8),  # the carrier did not take it and could not say so: unconfirmed in the end
    ("nothing", (0.05, 0.15), 0.8),
    ("half", (0.05, 0.15), 1.0),  # taken, and half an answer: found by asking
    ("silence", (0.01, 0.03), 1.0),  # taken, and no answer at all
]


@pytest.mark.parametrize(
    ("answer", "share", "at_least"),
    [
        pytest.param(*mood, marks=[pytest.mark.slow] if mood[0] in ("error", "nothing", "half") else [], id=mood[0])
        for mood in MOODS
    ],
)
def test_a_carrier_in_a_bad_mood_is_asked_never_told_twice(
    stack: Stack, chance: Chance, answer: str, share: tuple[float, float], at_least: float
) -> None:
    sender = Sender(stack, people=200)
    stack.simulator.set_mood(answer=answer, share=chance.between(*share))
    try:
        sender.launch()
        sender.finish(seconds=90)
    finally:
        stack.simulator.set_mood(answer="normal")
    sender.prove()
    assert sender.progress().handed_over >= at_least * 200


@pytest.mark.slow
def test_a_carrier_that_is_away_is_probed_shown_and_gone_on_with(stack: Stack, sender: Sender, chance: Chance) -> None:
    sender.launch()
    sender.handed_over(int(chance.between(20, 100)))
    stack.simulator.set_mood(answer="nothing", share=1.0)
    try:
        wait(lambda: _outage_seen(sender), seconds=10)
        time.sleep(chance.between(2, 6))
    finally:
        stack.simulator.set_mood(answer="normal")
    wait(lambda: not _outage_seen(sender), seconds=15)
    progress = sender.finish(seconds=90)
    sender.prove()
    # What was on the way when it began, then one text each time it was tried.
    assert progress.messages(State.UNCONFIRMED) <= 100 * LOOK_AHEAD * 2 + 15
    assert progress.handed_over + progress.messages(State.UNCONFIRMED) == 500


def test_receipts_doubled_reordered_and_before_the_answer_change_nothing(stack: Stack, sender: Sender) -> None:
    """The carrier reports "delivered" before it has answered the hand-over, "sent" after that, and all of it twice."""
    stack.simulator.set_mood(latency=0.4, receipt_delay=0.02, doubled=1.0, shuffled=1.0, undelivered=0.1)
    try:
        sender.launch()
        progress = sender.finish()
        time.sleep(1)  # the last doubles
    finally:
        stack.simulator.set_mood(latency=0.0, receipt_delay=0.05, doubled=0.02, shuffled=0.05, undelivered=0.02)
    verdict = sender.prove()
    assert progress.handed_over == 500
    told = {"delivered": State.DELIVERED, "undelivered": State.UNDELIVERED}
    assert {word: sender.progress().messages(state) for word, state in told.items()} == verdict["by_status"]
    assert verdict["by_status"]["undelivered"] > 20


def _outage_seen(sender: Sender) -> bool:
    with organization_scope(sender.tenant.organization.id):
        return any(one.carrier_account_id == sender.number.carrier_account_id for one in outages(now=now()))
