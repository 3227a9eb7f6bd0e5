"""The ledger: caches are the sums of entries whatever happens, nothing is held for ever, nothing is spent twice."""

import threading
from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Sum
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.actions import NotEnoughCredits, add_credits, close_reservation, count_captures, post_captures, reserve
from billing.models import CreditAccount, CreditEntry, CreditLot, LotKind, Reservation
from billing.queries import current_account
from billing.rules.pricing import Basis, credits_for
from common.sql import run
from tests.conftest import NOW
from tests.world import ACTOR, World, build_world


def assert_caches_are_sums() -> None:
    sums = CreditEntry.objects.aggregate(amount=Sum("amount"), held=Sum("held"))
    account = current_account()
    assert (account.balance, account.held) == (sums["amount"], sums["held"])
    for lot in CreditLot.objects.all():
        parts = CreditEntry.objects.filter(lot=lot).aggregate(amount=Sum("amount"), held=Sum("held"))
        assert (lot.balance, lot.held) == (parts["amount"], parts["held"])


@pytest.mark.parametrize(
    ("basis", "segments", "media", "credits"),
    [
        (Basis.MESSAGE, 1, False, 1),
        (Basis.MESSAGE, 4, False, 1),
        (Basis.SEGMENT, 4, False, 4),
        (Basis.MESSAGE, 1, True, 2),
        (Basis.SEGMENT, 4, True, 2),
    ],
)
def test_prices(basis: Basis, segments: int, media: bool, credits: int) -> None:
    assert credits_for(basis, segments=segments, media=media) == credits


def test_a_reservation_from_beginning_to_end(world: World, now: datetime) -> None:
    with world.scope():
        reservation = reserve(credits=100, reference="outreach:1", actor=ACTOR, now=now)
        assert (current_account().available, current_account().held) == (9_900, 100)
        count_captures({reservation.id: 60})
        count_captures({reservation.id: 10})
        assert post_captures(now=now) == 70
        assert (current_account().balance, current_account().held) == (9_930, 30)
        close_reservation(reservation.id, now=now)
        close_reservation(reservation.id, now=now)
        assert (current_account().balance, current_account().held) == (9_930, 0)
        assert_caches_are_sums()


def test_the_same_reference_is_reserved_once(world: World, now: datetime) -> None:
    with world.scope():
        first = reserve(credits=100, reference="outreach:1", actor=ACTOR, now=now)
        assert reserve(credits=100, reference="outreach:1", actor=ACTOR, now=now) == first
        assert current_account().held == 100


def test_too_few_credits_refuse_as_a_whole_and_say_how_many_are_missing(world: World, now: datetime) -> None:
    with world.scope():
        with pytest.raises(NotEnoughCredits, match="1 are missing") as refused, transaction.atomic():
            reserve(credits=10_001, reference="outreach:1", actor=ACTOR, now=now)
        assert refused.value.facts == {"missing": 1, "available": 10_000, "needed": 10_001}
        assert current_account().held == 0


def test_lots_that_expire_first_are_used_first_and_released_credits_of_a_dead_lot_expire(
    world: World, now: datetime
) -> None:
    with world.scope():
        month = add_credits(
            kind=LotKind.PLAN, credits=50, reference="m", actor=ACTOR, now=now, expires_at=now + timedelta(days=2)
        )
        reservation = reserve(credits=60, reference="outreach:1", actor=ACTOR, now=now)
        parts = dict(reservation.lots.values_list("lot_id", "credits"))
        assert parts[month.id] == 50
        count_captures({reservation.id: 20})
        close_reservation(reservation.id, now=now + timedelta(days=3))
        month.refresh_from_db()
        assert (month.balance, month.held) == (0, 0)  # 20 used, 30 expired
        assert current_account().balance == 10_000
        assert_caches_are_sums()


def test_more_than_was_reserved_cannot_be_captured(world: World, now: datetime) -> None:
    with world.scope():
        reservation = reserve(credits=10, reference="outreach:1", actor=ACTOR, now=now)
        with pytest.raises(DatabaseError, match="captured_within_reserved"), transaction.atomic():
            count_captures({reservation.id: 11})


@pytest.mark.parametrize("change", ["UPDATE billing_creditentry SET amount = 1", "DELETE FROM billing_creditentry"])
def test_entries_are_append_only(world: World, change: str) -> None:
    with world.scope(), pytest.raises(DatabaseError), transaction.atomic():
        run(change)


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_any_history_adds_up(django_db_blocker, django_db_setup, data) -> None:  # type: ignore[no-untyped-def]
    with django_db_blocker.unblock(), transaction.atomic():
        now = NOW
        world = build_world(now)
        with world.scope():
            for step in range(data.draw(st.integers(1, 12))):
                reservations = list(Reservation.objects.filter(state="OPEN").order_by("id"))
                what = data.draw(st.sampled_from(["reserve", "capture", "post", "close", "add"]))
                if what == "reserve":
                    credits = data.draw(st.integers(1, 500))
                    if credits <= current_account().available:
                        reserve(credits=credits, reference=f"r{step}", actor=ACTOR, now=now)
                elif what == "add":
                    add_credits(kind=LotKind.BONUS, credits=7, reference=f"b{step}", actor=ACTOR, now=now)
                elif what == "post":
                    post_captures(now=now)
                elif reservations:
                    one = data.draw(st.sampled_from(reservations))
                    if what == "capture":
                        count_captures({one.id: data.draw(st.integers(0, one.credits - one.captured))})
                    else:
                        close_reservation(one.id, now=now)
                assert_caches_are_sums()
            for reservation in Reservation.objects.all():
                close_reservation(reservation.id, now=now)
            assert current_account().held == 0
            captured = Reservation.objects.aggregate(total=Sum("captured"))["total"] or 0
            granted = CreditEntry.objects.filter(kind__in=["PURCHASE", "BONUS"]).aggregate(total=Sum("amount"))["total"]
            assert current_account().balance == granted - captured
        transaction.set_rollback(True)


def test_two_launches_at_once_do_not_overspend(committed_world: World, now: datetime) -> None:
    world = committed_world
    refused: list[str] = []
    start = threading.Barrier(4)

    def launch(name: str) -> None:
        try:
            start.wait()
            with world.scope():
                reserve(credits=4_000, reference=name, actor=ACTOR, now=now)
        except NotEnoughCredits:
            refused.append(name)
        finally:
            connection.close()

    threads = [threading.Thread(target=launch, args=(f"outreach:{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with world.scope():
        assert len(refused) == 2
        assert CreditAccount.objects.get().held == 8_000
        assert_caches_are_sums()
