"""Contacts by hand: made, changed, deleted; phones that are dead and live again."""

from datetime import datetime
from typing import Any

import pytest

from accounts.models import AuditEvent
from consent.models import ConsentRecord, ConsentState, OptOut
from consent.queries import is_opted_out
from contacts.actions import (
    ContactContent,
    ContactRefused,
    clear_phone,
    create_contact,
    create_field,
    delete_contact,
    save_contact,
)
from contacts.models import Contact, ContactPhone
from contacts.queries import contact_page, phones_of
from contacts.rules.fields import FieldKind
from dashboard.actions import opt_out_contact
from tests.architecture.test_isolation import signed_in
from tests.world import ACTOR, World

ADA, BO = "+12567346043", "+12052212310"


def content(*phones: tuple[str, str], custom: dict[str, str] | None = None, **values: str) -> ContactContent:
    return ContactContent({"first_name": "Ada"} | values, phones, custom or {})


def test_a_contact_is_made_found_and_has_agreed_to_nothing(world: World, now: datetime) -> None:
    with world.scope():
        made = create_contact(content(("MOBILE", "256-734-6043"), ("WORK", "")), actor=ACTOR, now=now)
        assert [(row.label, row.phone) for row in phones_of(made)] == [("MOBILE", ADA)]
        assert not ConsentRecord.objects.exists()
        assert AuditEvent.objects.filter(action="contact.created").exists()
    world.fill_search()
    with world.scope():
        assert contact_page(search="ada 6043").rows


@pytest.mark.parametrize(
    ("phones", "values", "custom", "field", "words"),
    [
        ([("MOBILE", "12")], {}, {}, "phone_0", "No such number|not a phone"),
        ([("MOBILE", ADA), ("WORK", "256 734 6043")], {}, {}, "phone_1", "twice"),
        ([("MOBILE", BO)], {}, {}, "phone_0", "belongs to Bo"),
        ([], {"first_name": " "}, {}, None, "name or a phone"),
        ([], {"time_zone": "Mars"}, {}, "time_zone", "time zone"),
        ([], {"city": "x" * 121}, {}, "city", "120"),
        ([], {}, {"visits": "many"}, "custom_visits", "number"),
    ],
)
def test_what_cannot_be_is_refused_where_it_stands(
    world: World, now: datetime, phones: Any, values: dict[str, str], custom: dict[str, str], field: str, words: str
) -> None:
    world.add_contact(BO, first_name="Bo")
    with world.scope():
        create_field("Visits", FieldKind.NUMBER, now=now)
        with pytest.raises(ContactRefused, match=words) as refused:
            create_contact(content(*phones, custom=custom, **values), actor=ACTOR, now=now)
        assert refused.value.facts.get("field") == field
        assert Contact.objects.count() == 1


def test_a_change_keeps_phones_that_stay_and_their_marks(world: World, now: datetime) -> None:
    contact = world.add_contact(ADA, first_name="Ada")
    with world.scope():
        create_field("Visits", FieldKind.NUMBER, now=now)
        ContactPhone.objects.update(textable=False)
        save_contact(contact.id, content(("MOBILE", ADA), ("WORK", BO), custom={"visits": "3"}), actor=ACTOR, now=now)
        assert [(row.phone, row.textable) for row in phones_of(contact)] == [(ADA, False), (BO, True)]
        assert Contact.objects.get(id=contact.id).custom == {"visits": 3}
        save_contact(contact.id, content(("MOBILE", BO), custom={"visits": ""}), actor=ACTOR, now=now)
        assert [(row.phone, row.label) for row in phones_of(contact)] == [(BO, "MOBILE")]
        assert Contact.objects.get(id=contact.id).custom == {}


def test_a_deleted_person_leaves_the_proof_behind_and_stays_stopped(world: World, now: datetime) -> None:
    contact = world.add_contact(ADA, first_name="Ada")
    with world.scope():
        opt_out_contact(contact, actor=ACTOR, now=now)
        delete_contact(contact.id, actor=ACTOR, now=now)
        assert not Contact.objects.exists()
        assert not ContactPhone.objects.exists()
        assert is_opted_out(ADA)
        assert ConsentRecord.objects.filter(phone=ADA).count() == 3, "agreed, stopped, withdrew"
        assert OptOut.objects.count() == 1
        create_contact(content(("MOBILE", ADA)), actor=ACTOR, now=now)
        assert is_opted_out(ADA), "whoever brings them back"


def test_a_dead_phone_is_texted_again_when_a_person_says_so(world: World, now: datetime) -> None:
    contact = world.add_contact(ADA, first_name="Ada")
    with world.scope():
        ContactPhone.objects.update(textable=False)
        (row,) = phones_of(contact)
        assert clear_phone(row.id, actor=ACTOR, now=now).textable
        clear_phone(row.id, actor=ACTOR, now=now)
        assert AuditEvent.objects.filter(action="phone.cleared").count() == 1


def test_the_pages_make_change_and_delete(world: World, now: datetime) -> None:
    with world.scope():
        create_field("Level", FieldKind.CHOICE, choices=["Gold", "Tin"], now=now)
    client = signed_in(world)
    data = {"first_name": "Ada", "phone_0": "256-734-6043", "label_0": "MOBILE", "custom_level": "Gold"}
    address = client.post("/contacts/new/", data)["Location"]
    page = client.get(address).content.decode()
    assert "Ada" in page
    assert "<dt>Level</dt><dd>Gold</dd>" in page
    with world.scope():
        contact = Contact.objects.get()
    edit = f"/contacts/{contact.id}/edit/"
    assert 'value="+12567346043"' in client.get(edit).content.decode(), "with its country, whichever the contact's is"
    data |= {"phone_1": "", "label_1": "WORK"}
    assert "No such number" in client.post(edit, data | {"phone_0": "12"}).content.decode()
    assert client.post(edit, data | {"first_name": "Augusta"}).status_code == 302
    assert "proof" in client.get(f"/contacts/{contact.id}/delete/").content.decode()
    assert client.post(f"/contacts/{contact.id}/delete/")["Location"] == "/contacts/"
    with world.scope():
        assert not Contact.objects.exists()


def test_who_said_stop_stays_so_on_a_new_list_and_it_is_said(world: World, now: datetime) -> None:
    ada, ben = world.add_contact(ADA), world.add_contact("+12567346044")
    world.receive(ADA, "stop", at=now)
    given = {"chosen": [ada.id, ben.id], "new_list": "Regulars"}
    page = signed_in(world).post("/contacts/add-to-list/", given, follow=True).content.decode()
    assert "2 more on “Regulars”. 1 of the chosen said STOP: they are not texted on any list." in page
    with world.scope():
        assert is_opted_out(ADA)
        assert not ConsentState.objects.filter(phone=ADA, granted=True).exists()
