"""Credits on invoice."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from billing.actions import (
    OrderSettled,
    cancel_order,
    count_captures,
    mark_order_paid,
    order_credits,
    post_captures,
    reserve,
)
from billing.queries import credits_used, current_account
from tests.world import ACTOR, World


def test_paid_credits_are_there_once(world: World, now: datetime) -> None:
    with world.scope():
        before = current_account().balance
        order = order_credits(credits=537, form_id=uuid4(), actor=ACTOR, now=now)
        assert current_account().balance == before
        mark_order_paid(order.id, actor=ACTOR, now=now)
        assert current_account().balance == before + 537
        with pytest.raises(OrderSettled):
            mark_order_paid(order.id, actor=ACTOR, now=now)
        assert current_account().balance == before + 537


def test_a_canceled_order_is_never_paid(world: World, now: datetime) -> None:
    with world.scope():
        order = order_credits(credits=100, form_id=uuid4(), actor=ACTOR, now=now)
        cancel_order(order.id, actor=ACTOR, now=now)
        with pytest.raises(OrderSettled):
            mark_order_paid(order.id, actor=ACTOR, now=now)


def test_the_price_is_that_of_the_order(world: World, now: datetime) -> None:
    with world.scope():
        order = order_credits(credits=1000, form_id=uuid4(), actor=ACTOR, now=now)
        assert order.total_micros == 1000 * current_account().plan.price_micros


def test_credits_used_counts_what_is_posted_and_what_is_not_yet(world: World, now: datetime) -> None:
    with world.scope():
        reservation = reserve(credits=100, reference="r", actor=ACTOR, now=now)
        count_captures({reservation.id: 30})
        since = now - timedelta(days=1)
        assert credits_used(since=since) == 30
        post_captures(now=now)
        count_captures({reservation.id: 5})
        assert credits_used(since=since) == 35


def test_a_form_sent_twice_is_one_order(world: World, now: datetime) -> None:
    form_id = uuid4()
    with world.scope():
        first, second = (order_credits(credits=100, form_id=form_id, actor=ACTOR, now=now) for _ in range(2))
        assert first.id == second.id


def test_a_form_orders_nothing_else_later(world: World, now: datetime) -> None:
    form_id = uuid4()
    with world.scope():
        order = order_credits(credits=100, form_id=form_id, actor=ACTOR, now=now)
        with pytest.raises(OrderSettled, match="sent already"):
            order_credits(credits=200, form_id=form_id, actor=ACTOR, now=now)
        cancel_order(order.id, actor=ACTOR, now=now)
        with pytest.raises(OrderSettled, match="sent already"):
            order_credits(credits=100, form_id=form_id, actor=ACTOR, now=now)
