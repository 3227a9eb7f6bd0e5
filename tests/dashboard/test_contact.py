"""The page of a contact: its consent and its journey."""

from datetime import datetime, timedelta

import pytest

from consent.actions import opt_out_by_staff
from consent.models import OptOut
from consent.queries import consent_panel
from dashboard.queries import first_tasks, journey
from messaging.models import InboundText, Message
from tests.architecture.test_isolation import signed_in
from tests.contacts.test_import import imported
from tests.world import ACTOR, World

PHONE = "+12567346043"


def write(world: World, body: str, now: datetime) -> None:
    with world.scope():
        InboundText.objects.create(
            organization=world.organization,
            sender_number_id=world.number.id,
            carrier_account_id=world.number.carrier_account_id,
            sid=f"SM{body}",
            phone=PHONE,
            body=body,
            received_at=now,
        )
    world.receive(PHONE, body, at=now, sid=f"SM{body}")


@pytest.fixture
def story(world: World, now: datetime) -> World:
    """Imported, texted, answered, stopped."""
    imported(world, f"Name,Phone\nAda,{PHONE}\n", now)
    world.launch(world.campaign(body="Spring news"))
    write(world, "hello", now + timedelta(minutes=1))
    write(world, "STOP", now + timedelta(minutes=2))
    return world


def titles(world: World, kind: str) -> list[str]:
    with world.scope():
        return [step.title for step in journey([PHONE], kind=kind)]


def test_the_journey_tells_all_of_it_newest_first(story: World) -> None:
    found = titles(story, "all")
    for title in ("They wrote", "Said STOP", "Campaign “News”", "Agreed to Updates", "Imported from “people.csv”"):
        assert title in found
    assert found[0] in ("They wrote", "Said STOP", "Withdrew from Updates", "Withdrew from a program")


def test_the_journey_is_filtered(story: World) -> None:
    assert set(titles(story, "messages")) == {"They wrote", "Campaign “News”"}
    assert titles(story, "campaigns") == ["Campaign “News”"]
    assert titles(story, "imports") == ["Imported from “people.csv”"]
    assert {"Said STOP", "Agreed to Updates"} <= set(titles(story, "consent"))
    assert titles(story, "nonsense") == []


def test_the_panel_has_three_levels_with_their_proof(world: World, now: datetime) -> None:
    world.add_contact(PHONE, first_name="Ada")
    write(world, "hello", now)
    with world.scope():
        panel = consent_panel(PHONE)
    assert panel.conversational_since == now
    assert [(proof.program, proof.how) for proof in panel.informational] == [("Updates", "web form")]
    assert panel.promotional == ()
    assert panel.opted_out is None


def test_an_opt_out_by_staff_withdraws_everything(world: World, now: datetime) -> None:
    contact = world.add_contact(PHONE, first_name="Ada")
    client = signed_in(world)
    assert "Never text Ada again?" in client.get(f"/contacts/{contact.id}/opt-out/").content.decode()
    for _ in range(2):  # a second click changes nothing
        assert client.post(f"/contacts/{contact.id}/opt-out/").status_code == 302
    with world.scope():
        panel = consent_panel(PHONE)
        assert panel.informational == ()
        assert panel.opted_out is not None
        assert OptOut.objects.get().source == "STAFF"
        opt_out_by_staff(PHONE, actor=ACTOR, now=now)
        assert OptOut.objects.count() == 1
    assert "Nothing is sent until they text START" in client.get(f"/contacts/{contact.id}/").content.decode()


def test_the_tasks_of_a_new_business_are_ticked_off(world: World) -> None:
    with world.scope():
        assert [task.done for task in first_tasks()] == [True, True, True, False, False]
    world.add_contact(PHONE, first_name="Ada")
    world.launch(world.campaign())
    with world.scope():
        assert all(task.done for task in first_tasks())


def test_the_journey_says_in_words_why_a_text_did_not_arrive(world: World, now: datetime) -> None:
    world.add_contact(PHONE, first_name="Ada")
    world.launch(world.campaign())
    ends = [
        ("UNDELIVERED", 30005, "", "number no longer in service (30005)"),
        ("SKIPPED", None, "duplicate", "got the same"),
    ]
    for state, code, reason, words in ends:
        with world.scope():
            Message.objects.update(state=state, error_code=code, reason=reason, captured=state == "UNDELIVERED")
            assert words in journey([PHONE], kind="messages")[0].words
