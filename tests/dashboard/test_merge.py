"""Two contacts that are one person; everything known of one; the organization's own fields."""

import json
from datetime import datetime, timedelta

import pytest

from accounts.models import AuditEvent
from consent.actions import opt_out_by_staff
from consent.models import ConsentState
from contacts.actions import ContactRefused, FieldRefused, add_to_list, change_field, create_field, list_named
from contacts.models import Contact, ContactPhone, CustomField, ImportedContact, ListMember
from contacts.queries import alike, contact_page, phones_of
from contacts.rules.fields import FieldKind
from dashboard.actions import merge_people, request_undo, undo_import
from dashboard.queries import journey
from messaging.models import InboundText, Message
from tests.architecture.test_isolation import signed_in
from tests.contacts.test_import import imported
from tests.world import ACTOR, World

ADA, BEN = "+12567346043", "+12052212310"


@pytest.fixture
def two(world: World, now: datetime) -> tuple[Contact, Contact]:
    """Ada twice: by hand, and (earlier) with another phone, an e-mail and a list; both were texted."""
    kept = world.add_contact(ADA, first_name="Ada", city="Cullman")
    other = world.add_contact(BEN, first_name="Ada", last_name="Byron", email="ada@example.org", city="Jasper")
    world.launch(world.campaign())
    with world.scope():
        Contact.objects.filter(id=kept.id).update(custom={"size": "M"})
        Contact.objects.filter(id=other.id).update(
            custom={"size": "S", "vip": "yes"}, created_at=now - timedelta(days=50)
        )
        for name, people in (("Both", [kept.id, other.id]), ("Other", [other.id])):
            add_to_list(list_named(name, now=now), people, actor=ACTOR, now=now)
        opt_out_by_staff(BEN, actor=ACTOR, now=now)
    world.fill_search()
    return kept, other


def test_one_is_made_of_two_and_nothing_is_lost(world: World, two: tuple[Contact, Contact], now: datetime) -> None:
    kept, other = two
    with world.scope():
        before = len(journey([ADA], kind="all")) + len(journey([BEN], kind="all"))
        merged = merge_people(kept.id, other.id, actor=ACTOR, now=now)
        assert [row.phone for row in phones_of(merged)] == [ADA, BEN]
        assert (merged.first_name, merged.last_name, merged.email, merged.city) == (
            "Ada",
            "Byron",
            "ada@example.org",
            "Cullman",
        )
        assert merged.custom == {"size": "M", "vip": "yes"}
        assert merged.created_at == now - timedelta(days=50)
        assert not Contact.objects.filter(id=other.id).exists()
        assert ListMember.objects.filter(contact=merged).count() == ListMember.objects.count() == 2
        assert set(Message.objects.values_list("contact_id", flat=True)) == {merged.id}
        assert len(journey([ADA, BEN], kind="all")) == before
        assert ConsentState.objects.get(phone=ADA).granted
        assert not ConsentState.objects.get(phone=BEN).granted  # STOP stays with its phone
        assert AuditEvent.objects.filter(action="contact.merged").exists()
    world.fill_search()
    with world.scope():
        assert [row.contact.id for row in contact_page(search="byron cullman").rows] == []
        assert [row.contact.id for row in contact_page(search="byron 6043").rows] == [kept.id]


def test_what_cannot_be_merged_is_said(world: World, two: tuple[Contact, Contact], now: datetime) -> None:
    kept, other = two
    with world.scope():
        with pytest.raises(ContactRefused, match="the same contact"):
            merge_people(kept.id, kept.id, actor=ACTOR, now=now)
        with pytest.raises(ContactRefused, match="not there any more"):
            merge_people(kept.id, 999_999_999, actor=ACTOR, now=now)
        for number in range(9):
            ContactPhone.objects.create(organization=world.organization, contact=other, phone=f"+1305555010{number}")
        with pytest.raises(ContactRefused, match="more than 10 phones"):
            merge_people(kept.id, other.id, actor=ACTOR, now=now)
        assert Contact.objects.count() == 2


def test_undoing_an_import_takes_no_merged_person_out(world: World, now: datetime) -> None:
    kept = world.add_contact(ADA, first_name="Ada")
    done = imported(world, f"Name,Phone\nAda,{BEN}\n", now)
    with world.scope():
        brought = ContactPhone.objects.get(phone=BEN).contact
        merge_people(brought.id, kept.id, actor=ACTOR, now=now)
        assert not ImportedContact.objects.filter(created=True).exists()
        request_undo(done.id, actor=ACTOR, now=done.created_at)
    undo_import(organization_id=world.id, import_id=done.id, actor=ACTOR)
    with world.scope():
        assert ContactPhone.objects.filter(contact_id=brought.id).count() == 2


def test_who_is_alike_is_offered_and_merged_through_the_page(world: World, two: tuple[Contact, Contact]) -> None:
    kept, other = two
    with world.scope():
        assert [row.contact.id for row in alike(kept)] == [other.id]
        assert [row.contact.id for row in alike(kept, search="2310")] == [other.id]
        assert alike(kept, search="nobody") == []
    client, address = signed_in(world), f"/contacts/{kept.id}/merge/"
    assert "ada@example.org" in client.get(address).content.decode()
    page = client.post(address, {"other": other.id}, follow=True).content.decode()
    assert "are one contact now" in page
    assert client.post(address, {"other": other.id}).status_code == 404  # the second click finds it done
    assert client.post(address, {"other": "x"}).status_code == 404


def test_everything_known_of_a_person_is_one_file(world: World, two: tuple[Contact, Contact], now: datetime) -> None:
    _, other = two
    with world.scope():
        InboundText.objects.create(
            organization=world.organization,
            sender_number_id=world.number.id,
            carrier_account_id=1,
            sid="SM1",
            phone=BEN,
            body="Grüße!",
            received_at=now,
        )
    answer = signed_in(world).get(f"/contacts/{other.id}/everything.json")
    assert "Grüße!" in answer.content.decode()
    found = json.loads(answer.content)
    assert found["contact"]["email"] == "ada@example.org"
    assert [row["phone"] for row in found["phones"]] == [BEN]
    assert sorted(found["lists"]) == ["Both", "Other"]
    assert {row["action"] for row in found["consent"]} == {"GRANT", "WITHDRAW", "STOP"}
    assert found["opt_outs"][0]["source"] == "STAFF"
    assert [row["campaign"] for row in found["texts_to_the_person"]] == ["News"]
    assert [row["body"] for row in found["texts_of_the_person"]] == ["Grüße!"]
    assert ADA not in answer.content.decode()
    with world.scope():
        assert AuditEvent.objects.filter(action="contact.exported").exists()


# Own fields ----------------------------------------------------------------------------------------------------------


def test_fields_are_made_renamed_and_given_choices(world: World, now: datetime) -> None:
    client = signed_in(world)
    page = client.post("/contacts/fields/", {"name": "Size", "kind": "CHOICE", "choices_text": "S"}).content.decode()
    assert "at least two choices" in page
    page = client.post(
        "/contacts/fields/", {"name": "Size", "kind": "CHOICE", "choices_text": "S\n M \n\nM\nL"}, follow=True
    ).content.decode()
    assert "custom.size" in page
    with world.scope():
        made = CustomField.objects.get()
        assert made.choices == ["S", "M", "L"]
    assert "already" in client.post("/contacts/fields/", {"name": "size", "kind": "TEXT"}).content.decode()
    client.post(f"/contacts/fields/{made.id}/", {"name": "T-shirt", "choices_text": "S\nXL"})
    with world.scope():
        made.refresh_from_db()
        assert (made.name, made.key, made.choices) == ("T-shirt", "size", ["S", "XL"])


def test_a_name_is_taken_once(world: World, now: datetime) -> None:
    with world.scope():
        first = create_field("Visits", FieldKind.NUMBER, now=now)
        second = create_field("Born", FieldKind.DATE, now=now)
        with pytest.raises(FieldRefused, match="already"):
            change_field(second.id, name="visits", actor=ACTOR, now=now)
        with pytest.raises(FieldRefused, match="Give the field a name"):
            change_field(second.id, name=" \x00", actor=ACTOR, now=now)
        assert change_field(first.id, name="VISITS", actor=ACTOR, now=now).name == "VISITS"
