"""A test to oneself: only to a phone that is proven, once for each form, paid like any text."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client

from accounts.actions import CODES_A_DAY, TRIES, PhoneNotVerified, begin_verification, verify_phone
from accounts.models import VerifiedPhone
from campaigns.models import Campaign
from common.actor import Actor
from messaging.models import Message, Stream
from tests.world import World

OWN = "+12567346077"


@pytest.fixture
def page(world: World, client: Client) -> str:
    """The address of the test page of a draft; the owner is signed in."""
    client.force_login(world.owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    world.add_contact("+12567346043", first_name="Ada")
    outreach = world.campaign(body="Hello {{ first_name|there }}")
    return f"/campaigns/{outreach.campaign_id}/test/"


def newest(world: World) -> Message:
    with world.scope():
        found = Message.objects.order_by("-id").first()
    assert found is not None
    return found


def test_a_phone_is_proven_by_its_code_then_gets_the_text(world: World, client: Client, page: str) -> None:
    client.post(page, {"step": "phone", "phone": "(256) 734-6077"})
    code = re.match(r"\d{6}", newest(world).body)
    assert code is not None
    assert newest(world).phone == OWN
    assert "not the code" in client.post(page, {"step": "code", "code": "000000x"}).content.decode()
    assert client.post(page, {"step": "code", "code": code[0]}).status_code == 302
    assert "As Ada would read it" in client.get(page).content.decode()
    form_id = str(uuid4())
    for _ in range(2):
        client.post(page, {"step": "test", "form_id": form_id})
    with world.scope():
        sent = list(Message.objects.filter(body__startswith="Hello").values_list("phone", "body", "credits"))
        assert sent == [(OWN, "Hello Ada\nReply STOP to stop.", 1)]
        assert set(Stream.objects.values_list("kind", flat=True)) == {"TEST"}
        assert Campaign.objects.get().state == "DRAFT"


def test_nothing_goes_to_a_phone_that_is_not_proven(world: World, client: Client, page: str) -> None:
    client.post(page, {"step": "phone", "phone": OWN})
    client.post(page, {"step": "test", "form_id": str(uuid4())})
    with world.scope():
        assert Message.objects.count() == 1, "the code alone"


def test_codes_cannot_be_guessed_or_asked_for_without_end(world: World) -> None:
    actor = Actor("Olivia", world.owner.id)
    with world.scope():
        code = begin_verification(OWN, actor=actor, now=world.now)
        wrong = "000000" if code != "000000" else "111111"
        assert [verify_phone(wrong, actor=actor, now=world.now) for _ in range(TRIES)] == [False] * TRIES
        with pytest.raises(PhoneNotVerified, match="used up"):
            verify_phone(code, actor=actor, now=world.now)
        for minute in range(1, CODES_A_DAY):
            code = begin_verification(OWN, actor=actor, now=world.now + timedelta(minutes=minute))
            again = begin_verification(OWN, actor=actor, now=world.now + timedelta(minutes=minute, seconds=1))
            assert again == "", "the second click"
        with pytest.raises(PhoneNotVerified, match="codes were sent today"):
            begin_verification(OWN, actor=actor, now=world.now + timedelta(minutes=9))
        with pytest.raises(PhoneNotVerified, match="too old"):
            verify_phone(code, actor=actor, now=world.now + timedelta(hours=1))
        assert code not in VerifiedPhone.objects.get().code_digest
