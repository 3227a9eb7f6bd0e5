"""Coming from another provider (F10): opt-outs first, safe to repeat; consents with a day and a way for each row."""

import csv
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from common.actor import SYSTEM
from consent.actions import opt_out_by_staff
from consent.models import ConsentRecord, ConsentState, OptOut
from consent.queries import consent_panel
from consent.rules.media import Level, Medium
from contacts.actions import cancel_import, run_import
from contacts.models import Contact, Import
from contacts.rules.former import (
    CONSENT_COLUMNS,
    OPT_OUT_COLUMNS,
    Agreed,
    consent_reader,
    guess_columns,
    medium_named,
    opt_out_reader,
)
from contacts.rules.people import InvalidRow
from content.queries import path_of
from dashboard.actions import request_undo, undo_import
from tests.architecture.test_isolation import signed_in
from tests.contacts.test_import import imported, request
from tests.world import ACTOR, World, build_world

OPT_OUTS = """Phone,Opted out at,Source,Campaign
256-734-6043,2025-03-04 10:11:12,STOP reply,Spring
+1 205 221 2310,,web,
256-734-6043,2025-05-04T10:11:12Z,STOP reply,Spring
12,2025-01-01,web,
7756865760,someday,web,
"""
CONSENTS = """Mobile,Opt-in date,Method
256-734-6043,2025-03-04,Web form
+1 205 221 2310,5/6/2025,text-to-join
7756865760,2025-03-04,carrier pigeon
775-686-5761,,paper
775-686-5762,2025-01-02,verbal
256-734-6043,2025-04-04,paper
"""
ADA, BEN, EVE = "+12567346043", "+12052212310", "+17756865760"


def bring(world: World, content: str, kind: str, **about: object) -> Import:
    """Upload a file through the pages and let the worker read it."""
    client = signed_in(world)
    file = SimpleUploadedFile("former.csv", content.encode())
    upload = client.post("/contacts/import/former/", {"file": file, "kind": kind})
    assert upload.status_code == 302, upload.content.decode()
    page = client.get(upload["Location"])
    columns = {field.html_name: field.value() for field in page.context["form"].columns()}
    answer = client.post(upload["Location"], columns | {"country": "US"} | about)
    assert answer.status_code == 302, answer.content.decode()
    with world.scope():
        newest = Import.objects.order_by("-id")[0]
    run_import(organization_id=world.id, import_id=newest.id, actor=SYSTEM)
    assert client.get(answer["Location"]).status_code == 200
    with world.scope():
        return Import.objects.select_related("error_file", "job").get(id=newest.id)


def opt_outs(world: World, content: str = OPT_OUTS) -> Import:
    return bring(world, content, "OPT_OUTS", stopped_by="2025-12-31")


def consents(world: World, content: str = CONSENTS) -> Import:
    return bring(world, content, "CONSENTS", program=world.program.id, how="As Acme exported it.")


def stopped(world: World) -> dict[str, OptOut]:
    with world.scope():
        return {row.phone: row for row in OptOut.objects.filter(lifted_at=None)}


def errors_of(done: Import) -> list[tuple[str, str]]:
    assert done.error_file is not None
    rows = csv.DictReader(path_of(done.error_file).open(encoding="utf-8-sig"))
    return [(row["Row"], row["Column"]) for row in rows]


def test_opt_outs_stop_phones_whose_owners_are_no_contacts(world: World) -> None:
    world.add_contact(ADA, first_name="Ada")
    done = opt_outs(world)
    assert (done.created, done.unchanged, done.duplicates, done.invalid) == (3, 0, 1, 1)
    assert errors_of(done) == [("4", "Phone")]
    found = stopped(world)
    assert set(found) == {ADA, BEN, EVE}  # a day that cannot be read stops nobody's stop
    assert found[ADA].opted_out_at == datetime(2025, 5, 4, 10, 11, 12, tzinfo=UTC)
    assert found[ADA].opted_out_at.date() == date(2025, 5, 4)  # the newest row counts
    assert (found[ADA].source, found[ADA].detail) == ("FILE", "STOP reply")
    # The end of the day, where the organization is: who came back in its course may have stopped after.
    assert found[BEN].opted_out_at == found[EVE].opted_out_at == datetime(2026, 1, 1, 4, 59, 59, tzinfo=UTC)
    with world.scope():
        assert Contact.objects.count() == 1
        assert not ConsentState.objects.get(phone=ADA).granted


def test_the_same_file_again_changes_nothing(world: World) -> None:
    opt_outs(world)
    before = stopped(world)
    done = opt_outs(world)
    assert (done.created, done.unchanged) == (0, 3)
    assert {phone: row.opted_out_at for phone, row in stopped(world).items()} == {
        phone: row.opted_out_at for phone, row in before.items()
    }


def test_who_came_back_since_stays_back(world: World, now: datetime) -> None:
    world.add_contact(ADA)
    opt_outs(world)
    with world.scope():
        world.receive(ADA, "START", at=now)
        assert ConsentState.objects.get(phone=ADA, program_id=world.program.id).granted
    done = opt_outs(world)
    assert (done.created, done.unchanged) == (0, 3)
    assert set(stopped(world)) == {BEN, EVE}
    with world.scope():
        assert ConsentState.objects.get(phone=ADA, program_id=world.program.id).granted


def test_who_stopped_there_is_not_textable_whatever_comes_later(world: World, now: datetime) -> None:
    opt_outs(world)
    done = imported(world, f"Name,Phone\nAda,{ADA}\nNew,775-686-5769\n", now)
    assert (done.created, done.opted_out) == (2, 1)
    assert (consents(world).opted_out) == 2
    outreach = world.campaign()
    assert (outreach.recipients, outreach.excluded) == (1, 1)


def test_of_another_tenant_nobody_is_stopped(world: World, now: datetime) -> None:
    other = build_world(now)
    other.add_contact(ADA)
    opt_outs(world)
    assert not stopped(other)
    with other.scope():
        assert ConsentState.objects.get(phone=ADA).granted


def test_consents_keep_their_day_and_way(world: World) -> None:
    done = consents(world)
    assert (done.created, done.duplicates, done.invalid) == (3, 1, 2)
    assert errors_of(done) == [("3", "Method"), ("4", "Opt-in date")]
    with world.scope():
        records = {row.phone: row for row in ConsentRecord.objects.all()}
        assert (records[ADA].medium, records[ADA].occurred_at.date()) == ("PAPER_FORM", date(2025, 4, 4))
        assert (records[BEN].medium, records[BEN].occurred_at.date()) == ("KEYWORD", date(2025, 5, 6))
        assert not Contact.objects.exists()
        states = ConsentState.objects.filter(granted=True).values_list("phone", flat=True)
        assert set(states) == {ADA, BEN, "+17756865762"}


def test_a_spoken_yes_is_not_enough_for_promotion(now: datetime, db: None) -> None:
    world = build_world(now, level=Level.PROMOTIONAL)
    done = consents(world)
    assert (done.created, done.invalid) == (2, 3)
    assert ("5", "Method") in errors_of(done)


def test_a_later_stop_outweighs_what_a_file_says(world: World, now: datetime) -> None:
    with world.scope():
        opt_out_by_staff(BEN, actor=ACTOR, now=now)
    assert consents(world).opted_out == 1
    with world.scope():
        assert not ConsentState.objects.filter(phone=BEN, granted=True).exists()


@pytest.mark.parametrize(
    ("kind", "about", "words"),
    [
        ("OPT_OUTS", {}, "This field is required"),
        ("OPT_OUTS", {"stopped_by": "2999-01-01"}, "up to today"),
        ("OPT_OUTS", {"stopped_by": "2025-01-01", "column_0": ""}, "which column holds the phone"),
        ("CONSENTS", {"how": "Acme", "column_2": ""}, "Say which column is “How they agreed”"),
        ("CONSENTS", {"how": " "}, "This field is required"),
        ("CONSENTS", {"how": "Acme", "program": ""}, "This field is required"),
    ],
)
def test_what_is_missing_is_said(world: World, kind: str, about: dict[str, str], words: str) -> None:
    client = signed_in(world)
    file = SimpleUploadedFile("former.csv", CONSENTS.encode())
    address = client.post("/contacts/import/former/", {"file": file, "kind": kind})["Location"]
    columns = {field.html_name: field.value() for field in client.get(address).context["form"].columns()}
    page = client.post(address, columns | {"country": "US", "program": world.program.id} | about)
    assert words in page.content.decode()
    with world.scope():
        assert not Import.objects.exists()


def test_a_file_of_opt_outs_is_never_undone(world: World) -> None:
    done = opt_outs(world)
    page = signed_in(world).get(f"/contacts/import/{done.id}/").content.decode()
    assert "Undo the import" not in page
    assert "Stopped now" in page


@pytest.mark.parametrize(
    ("said", "medium"),
    [
        ("Web form", Medium.WEB_FORM),
        ("WEB_FORM", Medium.WEB_FORM),
        ("text-to-join", Medium.KEYWORD),
        ("SMS", None),  # a channel, and no way of agreeing
        ("phone", None),
        ("In store", Medium.PAPER_FORM),
        ("double opt-in", Medium.DOUBLE_OPT_IN),
        ("phone call", Medium.VERBAL),
        ("", None),
        *((medium.value, medium) for medium in Medium if medium not in (Medium.INBOUND_TEXT, Medium.OTP_FLOW)),
    ],
)
def test_ways_of_agreeing_are_known_by_many_words(said: str, medium: Medium | None) -> None:
    assert medium_named(said) == medium


@pytest.mark.parametrize(
    ("said", "since"),
    [
        ("12/31/2024 11:59 PM", date(2024, 12, 31)),
        ("2025-05-04T10:11:12Z", datetime(2025, 5, 4, 10, 11, 12, tzinfo=UTC)),
        ("2025-05-04 10:11", datetime(2025, 5, 4, 10, 11)),
        ("0001-01-01", None),
        ("1/1/0001 12:00:00 AM", None),
        ("1741082472", None),
        ("2025-13-01", None),
        ("", None),
    ],
)
def test_whatever_the_day_a_stop_is_a_stop(said: str, since: object) -> None:
    read = opt_out_reader({0: "phone", 1: "stopped_on"}, columns=2, country="US")
    assert read(["256-734-6043", said, "one field too many"]) == (ADA, since, "")
    assert read(["256-734-6043"]).since is None
    for row in (["", "2024-01-01"], ["12", ""]):
        with pytest.raises(InvalidRow):
            read(row)


def test_a_consent_needs_its_day_and_way() -> None:
    columns = {0: "phone", 1: "agreed_on", 2: "medium"}
    level, until = Level.INFORMATIONAL, date(2024, 6, 1)
    agreed = consent_reader(columns, columns=3, country="US", level=level, until=until)
    assert agreed(["256-734-6043", "2024-01-01", "web"]) == Agreed(ADA, date(2024, 1, 1), Medium.WEB_FORM)
    for day in ("2024-06-02", "0001-01-01", "1741082472", ""):
        with pytest.raises(InvalidRow):
            agreed(["256-734-6043", day, "web"])


def test_headings_of_other_providers_are_guessed() -> None:
    assert guess_columns(["Phone Number", "Date Created", "Channel"], OPT_OUT_COLUMNS) == {
        0: "phone",
        1: "stopped_on",
        2: "source",
    }
    assert guess_columns(["id", "msisdn", "opt_in_at", "Consented At", "opt-in source"], CONSENT_COLUMNS) == {
        1: "phone",
        3: "agreed_on",
        4: "medium",
    }
    # The surest heading, not the first column.
    assert guess_columns(["Contact", "Phone", "Created at", "Opted out at"], OPT_OUT_COLUMNS) == {
        1: "phone",
        3: "stopped_on",
    }
    headings = ["Phone", "Source", "Opt-in method", "Created at", "Opt-in date", "Channel"]
    assert guess_columns(headings, CONSENT_COLUMNS) == {0: "phone", 2: "medium", 4: "agreed_on"}


# A file of contacts that says itself who stopped --------------------------------------------------------------------

MIXED = f"""Name,Phone,Unsubscribed,Work phone,Postcode
Ada,{ADA},no,,
Ben,{BEN},yes,205-221-2311,
Ada again,{ADA},2025-02-03,,
Eve,775-686-5760,,,
Odd,775-686-5761,perhaps,,
Long,775-686-5762,opted out,,{"1" * 30}
Ada once more,{ADA},2024-02-03,,
"""
LONG, BENS_WORK = "+17756865762", "+12052212311"


def test_opt_outs_of_a_file_go_before_anything_else_of_it(
    world: World, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of a later row of a phone, and of one that is left out: nobody is textable for a moment in between."""
    monkeypatch.setattr("contacts.actions.batches.BATCH", 2)
    done = imported(world, MIXED, now)
    assert (done.created, done.duplicates, done.invalid, done.opted_out, done.stopped) == (3, 2, 2, 2, 4)
    found = stopped(world)
    assert set(found) == {ADA, BEN, BENS_WORK, LONG}
    assert found[ADA].opted_out_at.year == 2025
    with world.scope():
        granted = ConsentRecord.objects.filter(action="GRANT").values_list("phone", flat=True)
        assert list(granted) == [EVE]
    again = imported(world, MIXED, now + timedelta(days=1))
    assert (again.unchanged, again.opted_out, again.stopped) == (3, 2, 0)


def start(world: World, phone: str, at: datetime) -> None:
    with world.scope():
        OptOut.objects.filter(phone=phone).update(lifted_at=at)


def test_who_came_back_is_stopped_by_newer_words_alone(world: World, now: datetime) -> None:
    imported(world, f"Name,Phone,Unsubscribed\nAda,{ADA},yes\nBen,{BEN},2025-02-03\n", now)
    start(world, ADA, now + timedelta(hours=1))
    start(world, BEN, datetime(2025, 3, 2, tzinfo=UTC))
    older = f"Name,Phone,Unsubscribed\nAda,{ADA},yes\nBen,{BEN},2025-02-28\n"
    assert imported(world, older, now + timedelta(days=2), agreed_at=now).stopped == 0
    newer = f"Name,Phone,Unsubscribed\nBen,{BEN},2025-04-01\nBen,{BEN},2025-02-03\n"
    assert imported(world, newer, now + timedelta(days=3)).stopped == 1
    assert set(stopped(world)) == {BEN}


def test_a_file_that_breaks_says_so_and_brings_what_is_before_it(world: World, now: datetime) -> None:
    broken = f"Name,Phone,Unsubscribed\nAda,{ADA},yes\nEve,775-686-5760,\nBad,{'9' * 70_000},\n"
    done = imported(world, broken, now)
    assert (done.stopped, done.created) == (1, 2)
    assert "rows before it were imported" in done.job.message


def test_a_stop_of_the_import_also_ends_its_first_pass(
    world: World, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contacts.actions.batches.BATCH", 1)
    wanted = request(world, f"Name,Phone,Unsubscribed\nAda,{ADA},yes\nBen,{BEN},yes\n", now)
    with world.scope():
        cancel_import(wanted.id, actor=ACTOR, now=now)
    run_import(organization_id=world.id, import_id=wanted.id, actor=SYSTEM)
    assert not stopped(world)
    with world.scope():
        assert Import.objects.get(id=wanted.id).job.state == "CANCELED"


def test_nobody_stops_in_the_future(world: World, now: datetime) -> None:
    imported(world, f"Name,Phone,Opted out\nAda,{ADA},2999-01-01\n", now)
    assert stopped(world)[ADA].opted_out_at <= datetime.now(UTC)


def test_a_later_row_with_a_newer_day_counts_in_a_later_batch_too(
    world: World, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contacts.actions.batches.BATCH", 1)
    consents(world, f"Phone,Opt-in date,Method\n{ADA},2024-01-01,web\n{ADA},2025-01-01,paper\n{ADA},2023-01-01,web\n")
    with world.scope():
        assert ConsentState.objects.get(phone=ADA).changed_at.year == 2025
        assert consent_panel(ADA).informational[0].at.year == 2025


def test_consents_of_a_file_are_taken_back(world: World) -> None:
    done = consents(world)
    with world.scope():
        request_undo(done.id, actor=ACTOR, now=done.created_at)
    undo_import(organization_id=world.id, import_id=done.id, actor=ACTOR)
    with world.scope():
        assert not ConsentState.objects.filter(granted=True).exists()
