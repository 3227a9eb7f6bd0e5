"""A company's name as sender: given by staff, for phones whose networks take names, with a link as the way out."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import Notice, User
from accounts.rules.permissions import StaffRole
from audiences.models import Exclusion
from audiences.rules.exclusions import Reason
from consent.models import ConsentRecord, OptOut
from messaging.actions.replies import ReplyRefused, queue_test
from messaging.models import Link, ShortLink
from messaging.rules.links import LIFETIME
from senders.actions import give_number, request_number
from senders.models import SenderKind, SenderNumber
from senders.rules.names import InvalidName, sender_name
from tests.world import ACTOR, World, build_world

LONDON, PARIS, ALABAMA = "+447400123456", "+33612345678", "+12567346043"


def given(world: World, now: datetime) -> SenderNumber:
    request = request_number(
        kind=SenderKind.ALPHANUMERIC, wish="Bakery", department=world.number.department, actor=ACTOR, now=now
    )
    return give_number(
        request.id,
        sender="Bakery",
        segments_per_second=Decimal(10),
        carrier_account_id=world.number.carrier_account_id,
        actor=ACTOR,
        now=now,
    )


@pytest.fixture
def named(world: World, now: datetime) -> World:
    """The same tenant, whose campaigns come from its name."""
    with world.scope():
        name = given(world, now)
        name.refresh_from_db()
    return replace(world, number=name)


@pytest.mark.parametrize("text", ["B", "0123456", "Bäckerei", "Much too long", "Ben & Co", "-Shop", "", " "])
def test_names_that_carriers_refuse(text: str) -> None:
    with pytest.raises(InvalidName):
        sender_name(text)


@pytest.mark.parametrize(
    ("text", "name"), [("Bakery", "Bakery"), (" Ben  Co ", "Ben Co"), ("4U", "4U"), ("A" * 11,) * 2]
)
def test_names_that_carriers_take(text: str, name: str) -> None:
    assert sender_name(text) == name


def test_a_name_that_staff_gave_may_send_at_once(named: World) -> None:
    assert named.number.status == "REGISTERED"
    assert not named.number.can_mms


def test_staff_give_a_name_on_the_page(world: World, now: datetime, client: Client) -> None:
    with world.scope():
        wish = request_number(
            kind=SenderKind.ALPHANUMERIC, wish="Bakery", department=world.number.department, actor=ACTOR, now=now
        )
    staff = User.objects.create_user("staff@example.org", "a long enough password", staff_role=StaffRole.OPERATOR)
    client.force_login(staff, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = f"/staff/numbers/{wish.id}/"
    assert "MMS" not in client.get(page).content.decode()
    fields = {"segments_per_second": "10", "carrier_account_id": str(world.number.carrier_account_id), "give": "1"}
    assert "2 to 11 letters" in client.post(page, fields | {"sender": "Bäckerei"}).content.decode()
    assert client.post(page, fields | {"sender": "Bakery"}).status_code == 302
    with world.scope():
        assert SenderNumber.objects.get(sender="Bakery").status == "REGISTERED"
        assert "come from “Bakery” now" in Notice.objects.latest("id").text


def test_people_whose_country_takes_no_names_are_left_out(named: World) -> None:
    for phone in (LONDON, ALABAMA):
        named.add_contact(phone)
    outreach = named.launch(named.campaign())
    assert (outreach.recipients, outreach.excluded) == (1, 1)
    with named.scope():
        assert [(one.phone, one.reason) for one in Exclusion.objects.all()] == [(ALABAMA, Reason.NO_NAMES)]
    assert [message.phone for message in named.messages()] == [LONDON]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("Hello", r"Hello\nNo more texts: http\S+/l/\w{8}"),
        ("Hello, stop: {{stop_link}}", r"Hello, stop: http\S+/l/\w{8}"),
        ("Reply STOP to stop", r"Reply STOP to stop\nNo more texts: http\S+/l/\w{8}"),
        ("{{ stop_link }} or {{ stop_link }}", r"(http\S+/l/\w{8}) or \1"),
    ],
)
def test_the_way_out_is_a_link_and_part_of_the_quote(named: World, body: str, text: str) -> None:
    named.add_contact(LONDON)
    outreach = named.launch(named.campaign(body=body))
    (message,) = named.messages()
    assert re.fullmatch(text, message.body)
    assert (message.segments, message.credits) == (outreach.segments, outreach.credits)


def stop_page(world: World) -> str:
    with world.scope():
        return f"/l/{ShortLink.objects.get(phone=LONDON, link__url='').code}"


def test_who_follows_it_and_says_so_gets_no_more_texts(named: World) -> None:
    for phone in (LONDON, PARIS):
        named.add_contact(phone)
    named.launch(named.campaign())
    page, client = stop_page(named), Client(enforce_csrf_checks=True)
    assert f"No more texts from {named.organization.name}?" in client.get(page).content.decode()
    with named.scope():
        assert not OptOut.objects.exists(), "looking is not saying: machines look at links"
    for _ in range(2):  # the second click
        assert "You get no more texts" in client.post(page).content.decode()
    with named.scope():
        assert [(one.phone, one.source) for one in OptOut.objects.all()] == [(LONDON, "LINK")]
        assert ConsentRecord.objects.filter(action="WITHDRAW", medium="LINK").count() == 1
    outreach = named.campaign(body="Another")
    assert (outreach.recipients, outreach.excluded) == (1, 1)


def test_the_way_out_stays_open_when_other_links_have_ended(named: World) -> None:
    named.add_contact(LONDON)
    named.launch(named.campaign(body="See {{ link|https://example.org/a }}"))
    with named.scope():
        Link.objects.update(expires_at=named.now - LIFETIME - timedelta(days=1))
        other = ShortLink.objects.exclude(link__url="").get()
    assert Client().get(f"/l/{other.code}").status_code == 410
    assert Client().post(f"/l/{other.code}").status_code == 404, "only the way out stops"
    assert Client().post(stop_page(named)).status_code == 200


def test_one_tenants_way_out_stops_no_other_ones_texts(named: World, now: datetime) -> None:
    named.add_contact(LONDON)
    named.launch(named.campaign())
    other = build_world(now)
    other.add_contact(LONDON)
    Client().post(stop_page(named))
    with other.scope():
        assert not OptOut.objects.exists()
    assert other.campaign().recipients == 1


def test_a_test_to_a_phone_that_takes_no_names_is_refused_in_words(named: World, now: datetime) -> None:
    with named.scope(), pytest.raises(ReplyRefused, match="Test with a number"):
        queue_test(named.number, ALABAMA, body="Hello", form_id=str(uuid4()), actor=ACTOR, now=now)


def test_a_name_has_no_registration_page(named: World, client: Client) -> None:
    client.force_login(named.owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.get(f"/numbers/{named.number.id}/registration/").status_code == 404
    page = client.get("/numbers/").content.decode()
    assert "nobody can reply" in page
