"""Replies: within the conversation's days, once for each form, paid from the day's standing reservation."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from billing.actions import NotEnoughCredits
from billing.models import Reservation
from billing.queries import current_account
from common.tenancy import across_organizations
from messaging.actions.replies import ReplyRefused, close_past_days, queue_reply
from messaging.actions.settling import Settlement, settle
from messaging.models import Stream
from messaging.rules.states import State
from senders.actions import set_number_status
from senders.models import NumberStatus
from tests.billing.test_ledger import assert_caches_are_sums
from tests.messaging.test_claims import claim
from tests.world import ACTOR, World, build_world

PHONE = "+12567346043"


def hear(world: World, now: datetime, body: str = "Hello?") -> None:
    world.receive(PHONE, body, at=now)


def answer(world: World, now: datetime, body: str = "At eight.", form_id: str = "") -> None:
    with world.scope():
        world.number.refresh_from_db()
        queue_reply(world.number, PHONE, body=body, form_id=form_id or uuid4().hex, actor=ACTOR, now=now)


def test_an_answer_goes_once_and_is_paid_from_the_days_reservation(world: World, now: datetime) -> None:
    hear(world, now)
    for form_id in ("one", "one", "two"):
        answer(world, now, form_id=form_id, body=f"At eight. {form_id}")
    with world.scope():
        assert Reservation.objects.get().credits == current_account().held == 2
        stream = Stream.objects.get(kind="REPLY")
    claims = claim(world, now, stream)
    assert [item.reason for item in claims] == ["", ""]
    with across_organizations(because="as the dispatcher does"):
        settle([Settlement(item.message_id, State.ACCEPTED, sid=f"SM{item.message_id}") for item in claims], now=now)
    close_past_days(now=now + timedelta(hours=23))
    with world.scope():
        assert Reservation.objects.get().state == "OPEN"
    close_past_days(now=now + timedelta(hours=25))
    with world.scope():
        assert Reservation.objects.get().state == "CLOSED"
        assert (current_account().balance, current_account().held) == (9_998, 0)
        assert_caches_are_sums()


def test_a_day_with_something_open_stays_open(world: World, now: datetime) -> None:
    hear(world, now)
    answer(world, now)
    close_past_days(now=now + timedelta(days=2))
    with world.scope():
        assert Reservation.objects.get().state == "OPEN"


@pytest.mark.parametrize(
    ("body", "days", "words"),
    [("  ", 0, "empty"), ("x" * 601, 0, "600 are allowed"), ("Hi", 30, "30 days old")],
)
def test_an_answer_that_cannot_go_says_why(world: World, now: datetime, body: str, days: int, words: str) -> None:
    hear(world, now)
    with pytest.raises(ReplyRefused, match=words):
        answer(world, now + timedelta(days=days), body=body)


def test_the_stopped_and_strangers_are_not_answered(world: World, now: datetime) -> None:
    with pytest.raises(ReplyRefused, match="30 days"):
        answer(world, now)
    hear(world, now)
    hear(world, now, "STOP")
    with pytest.raises(ReplyRefused, match="said STOP"):
        answer(world, now)


def test_a_suspended_number_and_an_empty_purse_are_refused(db: None, now: datetime) -> None:
    world = build_world(now, credits=1)
    hear(world, now)
    with pytest.raises(NotEnoughCredits, match="1 are missing"):
        answer(world, now, body="x" * 200)
    with world.scope():
        set_number_status(world.number.id, status=NumberStatus.SUSPENDED, actor=ACTOR, now=now)
    with pytest.raises(ReplyRefused, match="under Numbers"):
        answer(world, now)
