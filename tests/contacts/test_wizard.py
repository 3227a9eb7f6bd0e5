"""The import wizard and lists, page by page."""

from datetime import datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse

from accounts.models import Membership
from accounts.rules.permissions import Role
from consent.models import ImportStatement
from contacts.actions import (
    ListRefused,
    add_to_list,
    create_field,
    create_list,
    list_named,
    remove_from_list,
    run_import,
)
from contacts.models import Contact, ContactList, CustomField, Import, ListMember
from contacts.queries import contact_page
from contacts.rules.fields import FieldKind
from tests.architecture.test_isolation import signed_in
from tests.world import ACTOR, World, build_world

FILE = b"Who,Reach,Town\nAda Byron,256-734-6043,Cullman\nBo,12,Jasper\n"
STATEMENT = {"medium": "WEB_FORM", "agreed_on": "2026-01-01", "how": "They ticked the box."}
TAKING = {"existing": "UPDATE", "country": "US"}


def upload(world: World, content: bytes = FILE) -> str:
    """The address of the second step."""
    response = signed_in(world).post("/contacts/import/", {"file": SimpleUploadedFile("people.csv", content)})
    assert response.status_code == 302, response.content.decode()
    return str(response["Location"])


def columns(world: World, **changes: str) -> dict[str, Any]:
    chosen = {"column_0": "name", "column_1": "phone", "column_2": "city", "program": str(world.program.id)}
    return chosen | TAKING | STATEMENT | changes


def post(world: World, address: str, data: dict[str, Any], *, htmx: bool = False) -> HttpResponse:
    headers = {"HX-Request": "true"} if htmx else {}
    return signed_in(world).post(address, data, headers=headers)  # type: ignore[return-value]


def test_a_statement_has_its_proof(world: World) -> None:
    address = upload(world)
    form = columns(world) | {"evidence": SimpleUploadedFile("form.exe", b"MZ" * 20)}
    assert "no picture, PDF or recording" in post(world, address, form).content.decode()
    with world.scope():
        assert not ImportStatement.objects.exists()
    form |= {"evidence": SimpleUploadedFile("form.png", b"\x89PNG\r\n\x1a\n" + b"0" * 20)}
    assert post(world, address, form).status_code == 302
    with world.scope():
        statement = ImportStatement.objects.select_related("evidence").get()
        assert statement.evidence is not None
        assert statement.evidence.name == "form.png"
        assert statement.evidence_sha256 == statement.evidence.sha256


def test_headings_that_say_nothing_are_mapped_by_hand(world: World) -> None:
    address = upload(world)
    page = signed_in(world).get(address).content.decode()
    assert "Ada Byron" in page
    assert "The row has no phone number." in page  # nothing was guessed for "Reach"
    shown = post(world, address, columns(world), htmx=True).content.decode()
    assert "(256) 734-6043" in shown
    assert "left out" in shown  # Bo's 12
    assert "1 new" in shown
    assert "1 with no usable phone number" in shown
    assert "Chicago time, by area code" in shown
    assert post(world, address, columns(world)).status_code == 302
    with world.scope():
        assert Import.objects.get().mapping == {"0": "name", "1": "phone", "2": "city"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"column_1": ""}, "Say which column holds the phone number"),
        ({"column_2": "name"}, "Two columns say “Whole name”"),
        ({"how": ""}, "This field is required"),
        ({"agreed_on": "2027-01-01"}, "future"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_imported(world: World, change: dict[str, str], words: str) -> None:
    address = upload(world)
    response = post(world, address, columns(world, **change))
    assert response.status_code == 200
    assert words in response.content.decode()
    with world.scope():
        assert not Import.objects.exists()


def test_an_upload_is_imported_once(world: World) -> None:
    address = upload(world)
    first, second = (post(world, address, columns(world)) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert signed_in(world).get(address)["Location"] == first["Location"]
    with world.scope():
        assert Import.objects.count() == 1


def test_a_file_that_cannot_be_read_is_refused_at_once(world: World) -> None:
    response = signed_in(world).post(
        "/contacts/import/", {"file": SimpleUploadedFile("people.csv", b"\x89PNG\r\n\x1a\n" + b"0" * 50)}
    )
    assert "This is not a list of contacts" in response.content.decode()


def test_a_field_is_made_on_the_way_and_known_the_next_time(world: World) -> None:
    content = b"Who,Reach,Birthday\nAda Byron,256-734-6043,12/10/1815\n"
    post(world, upload(world, content), columns(world, column_2="new.DATE"))
    with world.scope():
        assert CustomField.objects.get().kind == "DATE"
        assert Import.objects.get().mapping["2"] == "custom.birthday"
    page = signed_in(world).get(upload(world, content.replace(b"Ada", b"Augusta"))).content.decode()
    assert '<option value="custom.birthday" selected>Birthday</option>' in page
    assert '<option value="phone" selected>' in page, "the heading says nothing, the last file did"


def test_an_import_is_stopped_and_undone_from_its_page(world: World) -> None:
    address = post(world, upload(world), columns(world))["Location"]
    client = signed_in(world)
    assert "Stop the import" in client.get(address).content.decode()
    client.post(f"{address}cancel/")
    assert "Stopping" in client.get(address).content.decode()
    with world.scope():
        found = Import.objects.get()
    run_import(organization_id=world.id, import_id=found.id, actor=ACTOR)
    page = client.get(address).content.decode()
    assert "You stopped this import" in page
    assert "Undo the import" not in page, "it had brought nothing"


# Lists ---------------------------------------------------------------------------------------------------------------


def test_a_list_is_filled_searched_and_emptied(world: World, now: datetime) -> None:
    ids = [world.add_contact(f"+1256734604{index}", first_name=name).id for index, name in enumerate(("Ada", "Bo"))]
    client = signed_in(world)
    client.post("/contacts/add-to-list/", {"chosen": ids, "new_list": "Regulars"})
    with world.scope():
        made = ContactList.objects.get(name="Regulars")
        assert ListMember.objects.count() == 2
    world.fill_search()
    with world.scope():
        assert [str(row.contact) for row in contact_page(list_id=made.id, search="ada").rows] == ["Ada"]
    client.post("/contacts/add-to-list/", {"chosen": ids, "list": str(made.id)})
    page = client.get(f"/contacts/lists/{made.id}/").content.decode()
    assert "Ada" in page
    assert "Bo" in page
    client.post(f"/contacts/lists/{made.id}/remove/", {"chosen": ids[:1]})
    with world.scope():
        assert ListMember.objects.count() == 1
        assert Contact.objects.count() == 2


def test_a_list_needs_a_name_of_its_own(world: World, now: datetime) -> None:
    with world.scope():
        create_list(name="Regulars", actor=ACTOR, now=now)
        with pytest.raises(ListRefused, match="already"):
            create_list(name=" Regulars ", actor=ACTOR, now=now)
        with pytest.raises(ListRefused, match="name"):
            list_named("  ", now=now)
    page = signed_in(world).post("/contacts/add-to-list/", {"new_list": ""}, follow=True).content.decode()
    assert "Give the list a name" in page


def test_people_of_another_tenant_are_never_put_on_a_list(world: World, now: datetime) -> None:
    other = build_world(now)
    stranger = other.add_contact("+12567346043", first_name="Eve")
    with world.scope():
        mine = list_named("Mine", now=now)
        assert add_to_list(mine, [stranger.id], actor=ACTOR, now=now) == 0
        assert remove_from_list(mine, [stranger.id], actor=ACTOR, now=now) == 0
    with other.scope():
        theirs = list_named("Theirs", now=now)
    assert signed_in(world).post("/contacts/add-to-list/", {"list": str(theirs.id)}).status_code == 404


def test_a_viewer_makes_no_list(world: World) -> None:
    with world.scope():
        Membership.objects.update(role=Role.VIEWER)
    page = signed_in(world).post("/contacts/lists/", {"name": "Sneaky"}).content.decode()
    assert "Make the list" not in page
    with world.scope():
        assert not ContactList.objects.exists()


def test_everybody_chooses_their_own_columns(world: World, now: datetime) -> None:
    with world.scope():
        field = create_field("Dentist", FieldKind.TEXT, now=now)
    contact = world.add_contact("+12567346043", first_name="Ada", email="ada@example.org", city="Cullman")
    with world.scope():
        Contact.objects.filter(id=contact.id).update(custom={field.key: "Dr. Li"})
    client = signed_in(world)
    page = client.get("/contacts/").content.decode()
    assert "Cullman" in page
    assert "Dr. Li" not in page
    chosen = {"column": ["email", f"custom.{field.key}", "nonsense"]}
    page = client.post("/contacts/columns/", chosen, follow=True).content.decode()
    assert "Cullman" not in page
    assert "<td>ada@example.org</td>" in page
    assert "<td>Dr. Li</td>" in page
    page = client.post("/contacts/columns/", {}, follow=True).content.decode()
    assert "Cullman" in page
