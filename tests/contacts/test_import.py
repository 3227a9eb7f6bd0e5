"""Importing: everything of a good row is written together, a bad file changes nothing."""

import csv
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.files.base import ContentFile

from common.actor import SYSTEM
from consent.actions import opt_out
from consent.actions.imports import StatementRefused
from consent.models import ConsentRecord, ConsentState, ImportStatement, OptOut
from consent.rules.media import Level, Medium
from contacts.actions import (
    ContactContent,
    ImportRefused,
    ImportWish,
    cancel_import,
    create_contact,
    delete_contact,
    fail_import,
    request_import,
    run_import,
)
from contacts.models import Contact, ContactPhone, CustomField, Existing, Import, ListMember
from contacts.queries import contact_page
from content.actions import revive_jobs, store_file
from content.models import FileKind, Job
from content.queries import path_of
from dashboard.actions import UndoRefused, request_undo, undo_import
from messaging.models import Message
from tests.world import ACTOR, World, build_world

FILE = """First Name,Phone,Work Phone,City
Ada,256-734-6043,205-221-2310,Cullman
Grace,12,,New York
Ada again,+1 (256) 734-6043,,Elsewhere
Edsger,,,Austin
Barbara,775-686-5760,,Reno
=cmd(),999,,Reno
"""


def form() -> "ContentFile[bytes]":
    return ContentFile(b"\x89PNG\r\n\x1a\n" + b"0" * 20, name="form.png")


def request(world: World, content: bytes | str, now: datetime, **arguments: Any) -> Import:
    with world.scope():
        file = store_file(
            kind=FileKind.IMPORT,
            name="people.csv",
            content_type="text/csv",
            chunks=[content.encode() if isinstance(content, str) else content],
            actor=ACTOR,
            now=now,
        )
        values: dict[str, Any] = {"medium": Medium.WEB_FORM, "agreed_at": now, "how": "our web form"} | arguments
        return request_import(file, ImportWish(program=world.program, **values), actor=ACTOR, now=now)


def imported(world: World, content: bytes | str, now: datetime, **arguments: Any) -> Import:
    wanted = request(world, content, now, **arguments)
    run_import(organization_id=world.id, import_id=wanted.id, actor=SYSTEM)
    with world.scope():
        return Import.objects.select_related("job", "error_file").get(id=wanted.id)


def test_good_rows_are_kept_and_bad_ones_are_told(world: World, now: datetime) -> None:
    done = imported(world, FILE, now, list_name="Spring")
    assert (done.rows, done.created, done.updated, done.duplicates, done.invalid) == (6, 2, 0, 1, 3)
    assert done.faults == {"bad_phone": 2, "no_phone": 1}
    assert done.job.state == Job.State.DONE
    with world.scope():
        assert sorted(ContactPhone.objects.values_list("phone", "label")) == [
            ("+12052212310", "WORK"),
            ("+12567346043", "MOBILE"),
            ("+17756865760", "MOBILE"),
        ]
        assert ListMember.objects.count() == 2
        ada = Contact.objects.get(first_name="Ada")
        assert ada.city == "Cullman", "the first row of a phone counts"
        assert done.error_file is not None
        rows = list(csv.reader(StringIO(path_of(done.error_file).read_text(encoding="utf-8-sig"))))
    assert rows[0] == ["First Name", "Phone", "Work Phone", "City", "Row", "Column", "Value", "Reason"]
    assert [row[4:6] for row in rows[1:]] == [["2", "Phone"], ["4", "Phone"], ["6", "Phone"]]
    assert rows[3][0] == "'=cmd()", "a spreadsheet must not run what a row held"


def test_the_statement_becomes_a_record_for_each_phone(world: World, now: datetime) -> None:
    imported(world, FILE, now)
    with world.scope():
        statement = ImportStatement.objects.get()
        assert statement.completed_at is not None
        records = ConsentRecord.objects.filter(import_statement_id=statement.id)
        assert sorted(records.values_list("phone", flat=True)) == ["+12567346043", "+17756865760"]
        assert ConsentState.objects.filter(program_id=world.program.id, granted=True).count() == 2


def test_the_same_file_again_updates_and_adds_nobody(world: World, now: datetime) -> None:
    imported(world, FILE, now)
    again = imported(world, FILE.replace("Reno", "Sparks"), now)
    assert (again.created, again.updated, again.unchanged, again.duplicates) == (0, 1, 1, 1)
    with world.scope():
        assert Contact.objects.count() == 2
        assert Contact.objects.get(first_name="Barbara").city == "Sparks"


def test_who_said_stop_stays_stopped(world: World, now: datetime) -> None:
    with world.scope():
        opt_out("+12567346043", source=OptOut.Source.STAFF, actor_label="Tess", now=now, medium="STAFF")
    done = imported(world, FILE, now + timedelta(days=1), agreed_at=now + timedelta(hours=1))
    assert done.opted_out == 1
    with world.scope():
        assert not ConsentState.objects.filter(phone="+12567346043", granted=True).exists()


def test_an_agreement_from_before_a_withdrawal_does_not_bring_it_back(world: World, now: datetime) -> None:
    imported(world, FILE, now)
    with world.scope():
        state = ConsentState.objects.filter(phone="+12567346043")
        state.update(granted=False, changed_at=now + timedelta(days=3))
    imported(world, FILE, now + timedelta(days=9), agreed_at=now + timedelta(days=1))
    with world.scope():
        assert not state.get().granted


def test_duplicates_are_known_across_batches_and_after_a_crash(
    world: World, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contacts.actions.batches.BATCH", 2)
    wanted = request(world, FILE, now)
    calls = 0
    from contacts.actions import imports

    write = imports._write_batch

    def crash_at_the_second(*arguments: Any) -> bool:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise SystemExit
        return write(*arguments)

    monkeypatch.setattr(imports, "_write_batch", crash_at_the_second)
    with pytest.raises(SystemExit):
        run_import(organization_id=world.id, import_id=wanted.id, actor=SYSTEM)
    monkeypatch.setattr(imports, "_write_batch", write)
    run_import(organization_id=world.id, import_id=wanted.id, actor=SYSTEM)
    with world.scope():
        done = Import.objects.get(id=wanted.id)
        assert (done.rows, done.created, done.duplicates, done.invalid) == (6, 2, 1, 3)
        assert ConsentRecord.objects.count() == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "empty"),
        (b"PK\x03\x04" + b"\0" * 50, "not a list of contacts"),
        ("Foo,Bar\n1,2\n", "No column holds phone numbers"),
        (b"x" * 400_000, "endless"),
    ],
)
def test_a_bad_file_changes_nothing(world: World, now: datetime, content: bytes | str, words: str) -> None:
    with pytest.raises(ImportRefused, match=words):
        request(world, content, now)
    with world.scope():
        assert not Import.objects.exists()
        assert not ImportStatement.objects.exists()


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ({"how": " "}, "Say how"),
        ({"agreed_at": datetime.fromisoformat("2030-01-01T00:00+00:00")}, "future"),
        ({"medium": Medium.INBOUND_TEXT}, "not enough"),
    ],
)
def test_without_a_statement_nothing_is_imported(world: World, now: datetime, statement: Any, words: str) -> None:
    with pytest.raises(StatementRefused, match=words):
        request(world, FILE, now, **statement)
    with world.scope():
        assert not Import.objects.exists()


def test_spoken_consent_is_not_enough_for_promotion(db: None, now: datetime) -> None:
    world = build_world(now, level=Level.PROMOTIONAL)
    with pytest.raises(StatementRefused, match="Web form"):
        request(world, FILE, now, medium=Medium.VERBAL, evidence=form())


def test_promotional_consent_needs_proof(db: None, now: datetime) -> None:
    world = build_world(now, level=Level.PROMOTIONAL)
    with pytest.raises(ImportRefused, match="Add a picture") as refused:
        request(world, FILE, now)
    assert refused.value.facts["field"] == "evidence"
    request(world, FILE, now, evidence=form())
    with world.scope():
        assert ImportStatement.objects.get().evidence is not None


KNOWN = "First Name,Phone,City\nAda,256-734-6043,Cullman\n"
NEWS = "First Name,Phone,City,E-Mail\nAugusta,256-734-6043,,ada@example.org\nBo,775-686-5760,Reno,\n"


@pytest.mark.parametrize(
    ("existing", "name", "city", "email", "counts"),
    [
        (Existing.UPDATE, "Augusta", "Cullman", "ada@example.org", (1, 1, 0)),
        (Existing.FILL, "Ada", "Cullman", "ada@example.org", (1, 1, 0)),
        (Existing.KEEP, "Ada", "Cullman", "", (1, 0, 1)),
    ],
)
def test_what_becomes_of_people_who_are_known(
    world: World, now: datetime, existing: Existing, name: str, city: str, email: str, counts: tuple[int, ...]
) -> None:
    imported(world, KNOWN, now)
    done = imported(world, NEWS, now, existing=existing)
    assert (done.created, done.updated, done.unchanged) == counts
    with world.scope():
        ada = Contact.objects.get(phones__phone="+12567346043")
    assert (ada.first_name, ada.city, ada.email) == (name, city, email)


@pytest.mark.parametrize(("existing", "custom"), [(Existing.UPDATE, [3, "no"]), (Existing.FILL, [2, "no"])])
def test_own_fields_are_made_typed_and_filled(
    world: World, now: datetime, existing: Existing, custom: list[object]
) -> None:
    mapping = {0: "phone", 1: "new.NUMBER"}
    imported(world, "Phone,Visits\n256-734-6043,2\n775-686-5760,many\n", now, mapping=mapping)
    again = {0: "phone", 1: "custom.visits", 2: "new.YES_NO"}
    done = imported(world, "Phone,Visits,Member\n256-734-6043,3,N\n", now, mapping=again, existing=existing)
    assert done.updated == 1
    with world.scope():
        assert sorted(CustomField.objects.values_list("key", "kind")) == [("member", "YES_NO"), ("visits", "NUMBER")]
        (ada,) = Contact.objects.all()
        assert [ada.custom["visits"], ada.custom["member"]] == custom
        assert Import.objects.order_by("id")[0].faults == {"bad_value": 1}


def test_a_national_number_is_of_the_country_that_was_chosen(world: World, now: datetime) -> None:
    imported(world, "Phone\n030 901820\n", now, country="DE")
    with world.scope():
        assert ContactPhone.objects.get().phone == "+4930901820"


def test_a_stopped_import_ends_keeps_what_it_wrote_and_seals_it(
    world: World, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contacts.actions.batches.BATCH", 2)
    wanted = request(world, FILE, now)
    from contacts.actions import imports

    write = imports._write_batch

    def stop_after_the_first(*arguments: Any) -> bool:
        written = write(*arguments)
        with world.scope():
            cancel_import(wanted.id, actor=ACTOR, now=now)
        return written

    monkeypatch.setattr(imports, "_write_batch", stop_after_the_first)
    run_import(organization_id=world.id, import_id=wanted.id, actor=SYSTEM)
    with world.scope():
        done = Import.objects.select_related("job").get(id=wanted.id)
        assert (done.rows, done.created, done.job.state) == (2, 1, Job.State.CANCELED)
        assert ImportStatement.objects.get().completed_at is not None


def undo(world: World, done: Import, now: datetime) -> Import:
    with world.scope():
        request_undo(done.id, actor=ACTOR, now=now)
    undo_import(organization_id=world.id, import_id=done.id, actor=ACTOR)
    with world.scope():
        return Import.objects.select_related("undo_job").get(id=done.id)


def test_an_import_is_undone_but_for_people_who_were_texted_or_known(world: World, now: datetime) -> None:
    imported(world, KNOWN, now)
    everybody = "First Name,Phone\nAda,256-734-6043\nBo,775-686-5760\nCy,205-221-2310\n"
    done = imported(world, everybody, now, list_name="Spring")
    world.launch(world.campaign(body="Hello {{ first_name }}"))
    with world.scope():
        Message.objects.filter(phone="+12052212310").delete()  # as if Cy had come after the campaign
    undone = undo(world, done, now)
    assert (undone.removed, undone.undo_job.state if undone.undo_job else "") == (1, Job.State.DONE)
    with world.scope():
        assert set(Contact.objects.values_list("first_name", flat=True)) == {"Ada", "Bo"}
        assert ListMember.objects.count() == 2
        granted = ConsentState.objects.filter(program_id=world.program.id, granted=True)
        assert list(granted.values_list("phone", flat=True)) == ["+12567346043"], "another import says so of Ada"
        assert ConsentRecord.objects.filter(action="WITHDRAW", medium="UNDO").count() == 2
    assert undo(world, done, now).removed == 1, "undone once"


def consents(world: World) -> list[str]:
    with world.scope():
        granted = ConsentState.objects.filter(program_id=world.program.id, granted=True)
        return list(granted.order_by("phone").values_list("phone", flat=True))


def test_after_an_undo_the_mended_file_counts(world: World, now: datetime) -> None:
    for _ in range(2):
        done = imported(world, KNOWN, now, agreed_at=now - timedelta(days=9))
        assert consents(world) == ["+12567346043"]
        undo(world, done, now)
        assert consents(world) == []


def test_an_undo_leaves_what_another_import_says(world: World, now: datetime) -> None:
    first = imported(world, KNOWN, now, agreed_at=now - timedelta(days=9))
    second = imported(world, KNOWN, now, agreed_at=now - timedelta(days=5))
    undo(world, second, now)
    assert consents(world) == ["+12567346043"]
    undone = undo(world, first, now)
    assert consents(world) == []
    assert undone.removed == 1, "nothing else knows them by now"


def test_start_does_not_bring_back_what_was_undone(world: World, now: datetime) -> None:
    done = imported(world, KNOWN, now, agreed_at=now - timedelta(days=9))
    say(world, "STOP", now)
    undo(world, done, now)
    say(world, "START", now)
    assert consents(world) == []


def test_start_brings_back_what_another_import_says(world: World, now: datetime) -> None:
    imported(world, KNOWN, now, agreed_at=now - timedelta(days=9))
    done = imported(world, KNOWN, now, agreed_at=now - timedelta(days=5))
    say(world, "STOP", now)
    undo(world, done, now)
    say(world, "START", now)
    assert consents(world) == ["+12567346043"]


def test_who_was_deleted_by_hand_is_withdrawn_as_well(world: World, now: datetime) -> None:
    done = imported(world, KNOWN, now)
    with world.scope():
        delete_contact(Contact.objects.get().id, actor=ACTOR, now=now)
    undo(world, done, now)
    assert consents(world) == []


def say(world: World, body: str, now: datetime) -> None:
    world.receive("+12567346043", body, at=now)


def test_a_person_with_two_mobile_phones_may_stand_in_a_file_twice(world: World, now: datetime) -> None:
    with world.scope():
        phones = [("MOBILE", "+12567346043"), ("MOBILE", "+12052212310")]
        create_contact(ContactContent({"first_name": "Ada"}, phones), actor=ACTOR, now=now)
    done = imported(world, "Phone,City\n2567346043,Rome\n2052212310,Paris\n", now)
    assert (done.created, done.duplicates, done.invalid) == (0, 0, 0)
    with world.scope():
        assert Contact.objects.get().city in ("Rome", "Paris")


@pytest.mark.parametrize(("existing", "phones"), [(Existing.UPDATE, 2), (Existing.KEEP, 1)])
def test_further_phones_of_people_who_are_known(world: World, now: datetime, existing: Existing, phones: int) -> None:
    imported(world, KNOWN, now)
    imported(world, "Phone,Work Phone\n2567346043,2052212310\n", now, existing=existing)
    world.fill_search()
    with world.scope():
        assert ContactPhone.objects.count() == phones
        assert len(contact_page(search="2052212310").rows) == phones - 1


def test_an_import_of_yesterday_stays(world: World, now: datetime) -> None:
    done = imported(world, KNOWN, now)
    with world.scope(), pytest.raises(UndoRefused, match="within a day"):
        request_undo(done.id, actor=ACTOR, now=now + timedelta(days=1, seconds=1))


def test_a_file_that_breaks_off_keeps_its_rows_and_says_so(world: World, now: datetime) -> None:
    done = imported(world, FILE.encode() + b"y" * 2_500_000, now)
    assert done.job.state == Job.State.FAILED
    assert "imported" in done.job.message


def test_a_row_with_another_persons_work_phone_renames_nobody(world: World, now: datetime) -> None:
    imported(world, FILE, now)
    done = imported(world, "First Name,Phone\nBob,205-221-2310\n", now)
    assert (done.created, done.updated, done.invalid) == (0, 0, 1)
    with world.scope():
        assert not Contact.objects.filter(first_name="Bob").exists()


def test_a_file_that_turns_binary_further_down_ends_with_words(world: World, now: datetime) -> None:
    done = imported(world, b"First Name,Phone\n" + b"Ada,256-734-6043\n" * 20_000 + b"A\x00l,256-734-6044\n", now)
    assert done.job.state == Job.State.FAILED
    assert "something else than text" in done.job.message
    with world.scope():
        assert ImportStatement.objects.get().completed_at is not None, "what was imported is sealed"


def test_an_import_whose_worker_died_is_started_again(world: World, now: datetime, monkeypatch: Any) -> None:
    wanted = request(world, FILE, now)
    sent: list[Any] = []
    monkeypatch.setattr(
        "content.actions.jobs.current_app.send_task", lambda name, arguments, **_: sent.append((name, arguments))
    )
    revive_jobs(now=now + timedelta(minutes=9))
    assert sent == []
    with world.scope():
        Job.objects.update(state=Job.State.RUNNING)
    revive_jobs(now=now + timedelta(seconds=61))
    assert sent == [("contacts.run_import", [world.id, wanted.id])]


def test_an_import_that_fails_unforeseen_says_so_and_seals_what_was_written(world: World, now: datetime) -> None:
    wanted = request(world, FILE, now)
    fail_import(organization_id=world.id, import_id=wanted.id, now=now)
    with world.scope():
        job = Import.objects.select_related("job").get(id=wanted.id).job
        assert (job.state, "Upload it again" in job.message) == (Job.State.FAILED, True)
        assert ImportStatement.objects.get().completed_at is not None


def test_two_runners_of_one_import_write_it_once(committed_world: World, now: datetime) -> None:
    import threading

    from django.db import connection

    world = committed_world
    rows = "".join(f"Person {number},205{2_000_000 + number:07}\n" for number in range(12_000))
    wanted = request(world, "First Name,Phone\n" + rows, now)

    def work() -> None:
        run_import(organization_id=world.id, import_id=wanted.id, actor=SYSTEM)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with world.scope():
        done = Import.objects.get(id=wanted.id)
        assert (done.rows, done.created, done.duplicates, Contact.objects.count()) == (12_000, 12_000, 0, 12_000)
        assert ConsentRecord.objects.count() == 12_000
