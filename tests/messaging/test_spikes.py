"""Texts that are filtered or refused as unregistered hold their campaign by themselves."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import Notice
from campaigns.actions import advance, resume_campaign
from campaigns.models import Campaign, Outreach
from common.tenancy import across_organizations
from messaging.actions.claims import Want, claim_due
from messaging.actions.outcomes import Outcome, record_outcomes
from messaging.gateways.base import Answer, Handover
from messaging.models import AnswerCount, Stream
from messaging.rules.spikes import LEAST, ONE_IN, SPAN
from senders.models import CarrierAccount
from tests.world import ACTOR, World

FILTERED, UNREGISTERED, DEAD = 30007, 30034, 30005
PHONES = [f"+1256734{number:04}" for number in range(6000, 6150)]


@pytest.fixture
def sent(world: World) -> Outreach:
    for phone in PHONES:
        world.add_contact(phone, consent=False)
    world.consent(*PHONES)
    return world.launch(world.campaign())


def answer(world: World, code: int, count: int, now: datetime) -> None:
    """The next hand-overs, refused with that code."""
    with across_organizations(because="as a dispatcher"):
        stream = Stream.objects.get(organization_id=world.id)
        claim_id = uuid4()
        claims = claim_due([Want(stream.id, stream.sender_number_id, 0, count)], claim_id=claim_id, now=now)
        taken = [Handover(Answer.REFUSED, error_code=code)] * len(claims)
        gateway = CarrierAccount.Gateway.TWILIO
        outcomes = [Outcome(claim, claim_id, handover, gateway) for claim, handover in zip(claims, taken, strict=True)]
        record_outcomes(outcomes, now=now)


def state(world: World) -> tuple[str, str]:
    with world.scope():
        return Stream.objects.values_list("state", "held_for").get()


@pytest.mark.parametrize(("code", "kind"), [(FILTERED, "NUMBER_BLOCKED"), (UNREGISTERED, "REGISTRATION")])
def test_a_spike_holds_the_stream_at_once_and_the_campaign_says_why(
    world: World, sent: Outreach, client: Client, code: int, kind: str
) -> None:
    answer(world, code, LEAST - 1, world.now)
    assert state(world) == ("OPEN", "")
    answer(world, code, 1, world.now)
    assert state(world) == ("PAUSED", kind)
    advance(now=world.now)
    with world.scope():
        assert Campaign.objects.get().state == "PAUSED"
        notice = Notice.objects.latest("id")
    assert "was paused" in notice.text
    assert str(world.number) in notice.text
    client.force_login(world.owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert "It was paused by itself" in client.get(f"/campaigns/{sent.campaign_id}/").content.decode()


def test_resumed_it_begins_to_count_anew(world: World, sent: Outreach) -> None:
    answer(world, FILTERED, LEAST, world.now)
    advance(now=world.now)
    with world.scope():
        resume_campaign(sent.campaign_id, actor=ACTOR, now=world.now)
    assert state(world) == ("OPEN", "")
    answer(world, FILTERED, LEAST - 1, world.now)
    advance(now=world.now)
    assert state(world) == ("OPEN", "")
    answer(world, FILTERED, 1, world.now)
    assert state(world) == ("PAUSED", "NUMBER_BLOCKED")


def test_dead_handsets_are_no_spike(world: World, sent: Outreach) -> None:
    answer(world, DEAD, 100, world.now)
    advance(now=world.now)
    assert state(world) == ("OPEN", "")
    with world.scope():
        assert AnswerCount.objects.get().answered == 100


def test_a_few_among_many_are_no_spike(world: World, sent: Outreach) -> None:
    answer(world, DEAD, LEAST * ONE_IN, world.now)
    answer(world, FILTERED, LEAST, world.now)
    assert state(world) == ("OPEN", "")


def test_what_came_long_ago_does_not_count(world: World, sent: Outreach) -> None:
    answer(world, FILTERED, LEAST - 1, world.now)
    answer(world, FILTERED, LEAST - 1, world.now + SPAN + timedelta(seconds=1))
    assert state(world) == ("OPEN", "")
