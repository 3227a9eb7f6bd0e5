"""The frame: what it shows to whom, and its switches."""

from datetime import datetime

import pytest

from accounts.actions import notify
from accounts.models import Department, Membership, Notice, Organization
from accounts.rules.permissions import Permission, Role
from common.tenancy import across_organizations
from inbox.models import Conversation
from senders.actions import add_number
from senders.models import SenderKind
from tests.architecture.test_isolation import signed_in
from tests.world import ACTOR, World, build_world


def test_without_the_feature_there_is_no_way_to_campaigns(world: World) -> None:
    assert 'href="/campaigns/"' in signed_in(world).get("/").content.decode()
    with across_organizations(because="staff switch a feature off"):
        Organization.objects.filter(id=world.id).update(campaigns_enabled=False)
    assert 'href="/campaigns/"' not in signed_in(world).get("/contacts/").content.decode()


def test_a_person_in_two_organizations_goes_over(world: World, now: datetime) -> None:
    other = build_world(now)
    with other.scope():
        Membership.objects.create(organization=other.organization, user=world.owner, role=Role.VIEWER, created_at=now)
    client = signed_in(world)
    page = client.get("/").content.decode()
    assert world.organization.name in page
    assert other.organization.name in page  # to go over to
    client.post("/switch/organization", {"organization": other.id})
    assert f"<summary>{other.organization.name}</summary>" in client.get("/").content.decode()
    assert client.get("/campaigns/new/").status_code == 403  # a viewer there
    client.post("/switch/organization", {"organization": world.id})
    assert client.get("/campaigns/new/").status_code == 200


def test_nobody_goes_over_to_where_they_are_no_member(world: World, now: datetime) -> None:
    assert signed_in(world).post("/switch/organization", {"organization": build_world(now).id}).status_code == 404


def test_a_department_shows_its_own_numbers_and_conversations(world: World, now: datetime) -> None:
    with world.scope():
        north = Department.objects.create(organization=world.organization, name="North")
        number = add_number(
            carrier_account_id=world.number.carrier_account_id,
            sender="+18885550142",
            kind=SenderKind.LOCAL,
            segments_per_second=None,
            department=north,
            actor=ACTOR,
            now=now,
        )
        for sender, words in ((world.number, "to the main office"), (number, "to the north")):
            Conversation.objects.create(
                organization=world.organization,
                sender_number_id=sender.id,
                phone="+12567346043",
                last_text=words,
                last_received_at=now,
                unread=1,
            )
    client = signed_in(world)
    assert "2<span" in client.get("/inbox/").content.decode()
    client.post("/switch/department", {"department": north.id})
    inbox, numbers = client.get("/inbox/").content.decode(), client.get("/numbers/").content.decode()
    assert "to the north" in inbox
    assert "to the main office" not in inbox
    assert "(888) 555-0142" in numbers
    assert str(world.number) not in numbers
    client.post("/switch/department", {"department": ""})
    assert "to the main office" in client.get("/inbox/").content.decode()


def test_a_notice_is_for_those_who_may_act_and_goes_away(world: World, now: datetime) -> None:
    with world.scope():
        notify(tone=Notice.Tone.TO_DO, text="Pay us", permission=Permission.BILLING_VIEW, now=now)
        notice_id = Notice.objects.get(text="Pay us").id
    client = signed_in(world)
    assert "Pay us" in client.get("/").content.decode()
    with world.scope():
        Membership.objects.update(role=Role.AGENT)
    assert "Pay us" not in signed_in(world).get("/").content.decode()
    with world.scope():
        Membership.objects.update(role=Role.OWNER)
    for _ in range(2):
        client.post(f"/notices/{notice_id}/dismiss")
    assert "Pay us" not in client.get("/").content.decode()


def test_a_refusal_is_a_page_in_words(world: World) -> None:
    client = signed_in(world)
    assert "There is no such page" in client.get("/nowhere/").content.decode()
    with world.scope():
        Membership.objects.update(role=Role.AGENT)
    assert "Your role in this organization" in client.get("/campaigns/").content.decode()


def test_the_ledger_names_what_credits_moved_for(world: World) -> None:
    world.add_contact("+12567346043", first_name="Ada")
    outreach = world.launch(world.campaign())
    page = signed_in(world).get("/billing/").content.decode()
    assert f'<a href="/campaigns/{outreach.campaign_id}/">Campaign “News”</a>' in page
    assert "outreach:" not in page


@pytest.mark.parametrize(
    "address",
    [
        *("/inbox/?before=2026-13-99_1", "/inbox/?before=x", "/contacts/?after=-1", "/contacts/?after=" + "9" * 40),
        *("/campaigns/?before=" + "9" * 40, "/billing/?before=x", "/campaigns/new/?list=" + "9" * 40),
        *("/billing/buy/?credits=" + "9" * 40, "/campaigns/?state=NONSENSE"),
    ],
)
def test_an_address_that_nobody_made_is_the_first_page(world: World, address: str) -> None:
    assert signed_in(world).get(address).status_code == 200


def test_choosing_nonsense_chooses_nobody(world: World) -> None:
    data = {"chosen": ["9" * 40, "x"], "new_list": "Odd"}
    assert signed_in(world).post("/contacts/add-to-list/", data).status_code == 302
