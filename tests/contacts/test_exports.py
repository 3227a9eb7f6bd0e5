"""Contacts as a file: everybody, a list, a search; what a spreadsheet must not do with it."""

import csv
from datetime import datetime
from io import StringIO
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from common.tenancy import organization_scope
from contacts.actions import create_field, request_export, run_export, save_contact
from contacts.actions.people import ContactContent
from contacts.models import Contact, ContactList, Export
from contacts.rules.fields import FieldKind
from content.models import Job
from content.queries import path_of
from dashboard.actions import opt_out_contact
from tests.architecture.test_isolation import signed_in
from tests.contacts.test_import import imported
from tests.world import ACTOR, World, build_world

PEOPLE = "First Name,Phone,Work Phone\nAda,256-734-6043,205-221-2310\n=Bo(),775-686-5760,\nJoé,334-202-0000,\n"


@pytest.fixture
def people(world: World, now: datetime) -> World:
    imported(world, PEOPLE, now, list_name="Spring")
    other = world.add_contact("+12054970888", first_name="Eve", consent=False)
    with world.scope():
        create_field("Visits", FieldKind.NUMBER, now=now)
        opt_out_contact(other, actor=ACTOR, now=now)
        ada = Contact.objects.get(first_name="Ada")
        content = ContactContent(
            {"first_name": "Ada", "city": "Cullman"},
            [("MOBILE", "+12567346043"), ("WORK", "+12052212310")],
            {"visits": "3"},
        )
        save_contact(ada.id, content, actor=ACTOR, now=now)
    world.fill_search()
    return world


def exported(world: World, now: datetime, **wish: Any) -> Export:
    with world.scope():
        wish = {"format": Export.Format.CSV, "search": "", "contact_list": None} | wish
        made = request_export(actor=ACTOR, now=now, **wish)
    run_export(organization_id=world.id, export_id=made.id, actor=ACTOR)
    with world.scope():
        return Export.objects.select_related("job", "file").get(id=made.id)


def rows_of(world: World, export: Export) -> list[dict[str, str]]:
    with organization_scope(world.id):
        assert export.file is not None
        text = path_of(export.file).read_text(encoding="utf-8-sig")
    return list(csv.DictReader(StringIO(text, newline="")))


def test_everybody_with_all_that_is_known(people: World, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contacts.actions.exports.BATCH", 3)
    done = exported(people, now)
    assert (done.people, done.job.state) == (4, Job.State.DONE)
    rows = {row["First name"]: row for row in rows_of(people, done)}
    ada = rows["Ada"]
    assert (ada["Mobile"], ada["Work phone"], ada["City"]) == ("+12567346043", "+12052212310", "Cullman")
    assert (ada["Agreed to"], ada["Said STOP"], ada["Visits"]) == ("Updates", "", "3")
    assert (rows["Eve"]["Agreed to"], rows["Eve"]["Said STOP"]) == ("", f"{now:%Y-%m-%d}")
    assert "'=Bo()" in rows, "a spreadsheet must not run what a person is called"


def test_whom_a_search_or_a_list_holds(people: World, now: datetime) -> None:
    with people.scope():
        spring = ContactList.objects.get()
    assert {row["First name"] for row in rows_of(people, exported(people, now, search="joe"))} == {"Joé"}
    listed = rows_of(people, exported(people, now, contact_list=spring))
    assert {row["First name"] for row in listed} == {"Ada", "'=Bo()", "Joé"}
    assert rows_of(people, exported(people, now, contact_list=spring, search="eve")) == []


def test_a_spreadsheet_holds_texts_alone(people: World, now: datetime) -> None:
    done = exported(people, now, format=Export.Format.XLSX)
    with people.scope():
        assert done.file is not None
        rows = CalamineWorkbook.from_path(path_of(done.file)).get_sheet_by_index(0).to_python()
    assert len(rows) == 5
    assert {type(value) for row in rows for value in row} == {str}
    assert [row[0] for row in rows] == ["First name", "Ada", "=Bo()", "Joé", "Eve"]


def test_more_than_a_sheet_holds_is_refused_with_what_to_do(
    people: World, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contacts.actions.exports.MOST_XLSX", 3)
    done = exported(people, now, format=Export.Format.XLSX)
    assert (done.job.state, "Choose CSV" in done.job.message) == (Job.State.FAILED, True)


def test_the_page_makes_it_shows_it_and_hands_it_out(people: World) -> None:
    client = signed_in(people)
    address = client.post("/contacts/export/", {"format": "CSV", "q": "ada"})["Location"]
    assert "You may leave this page" in client.get(address).content.decode()
    assert client.get(f"{address}file/").status_code == 404
    with people.scope():
        export = Export.objects.get()
    run_export(organization_id=people.id, export_id=export.id, actor=ACTOR)
    assert "Download" in client.get(address).content.decode()
    assert b"Ada" in b"".join(client.get(f"{address}file/").streaming_content)  # type: ignore[attr-defined]


def test_a_list_of_another_tenant_is_not_exported(people: World, now: datetime) -> None:
    other = build_world(now)
    with people.scope():
        mine = ContactList.objects.get()
    assert signed_in(other).post("/contacts/export/", {"format": "CSV", "list": str(mine.id)}).status_code == 404
