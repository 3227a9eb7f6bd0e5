"""Asking for a number, and getting it."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Notice
from senders.actions import NumberRefused, decline_number, give_number, request_number
from senders.models import NumberRequest, SenderKind, SenderNumber
from tests.world import ACTOR, World


def asked(world: World, now: datetime) -> NumberRequest:
    return request_number(
        kind=SenderKind.TOLL_FREE, wish="easy", department=world.number.department, actor=ACTOR, now=now
    )


def facts(world: World, now: datetime) -> dict[str, Any]:
    return {
        "segments_per_second": Decimal(3),
        "carrier_account_id": world.number.carrier_account_id,
        "actor": ACTOR,
        "now": now,
    }


def test_one_wish_is_open_at_a_time(world: World, now: datetime) -> None:
    with world.scope():
        asked(world, now)
        with pytest.raises(NumberRefused, match="already"):
            asked(world, now)
        assert NumberRequest.objects.count() == 1


def test_a_given_number_is_there_once_and_told(world: World, now: datetime) -> None:
    with world.scope():
        request = asked(world, now)
        number = give_number(request.id, sender="+18885550142", **facts(world, now))
        assert (number.kind, number.status) == ("TOLL_FREE", "UNREGISTERED")
        assert "(888) 555-0142" in Notice.objects.latest("id").text
        with pytest.raises(NumberRefused, match="answered"):
            give_number(request.id, sender="+18885550143", **facts(world, now))
        assert SenderNumber.objects.count() == 2


def test_a_number_that_is_taken_is_refused_and_the_request_stays(world: World, now: datetime) -> None:
    with world.scope():
        request = asked(world, now)
        with pytest.raises(NumberRefused, match="in use"):
            give_number(request.id, sender=world.number.sender, **facts(world, now))
        request.refresh_from_db()
        assert request.state == "OPEN"


def test_a_decline_says_why(world: World, now: datetime) -> None:
    with world.scope():
        decline_number(asked(world, now).id, answer="None free in 305.", actor=ACTOR, now=now)
        assert "None free in 305." in Notice.objects.latest("id").text
        assert asked(world, now).state == "OPEN"  # a new wish is possible
