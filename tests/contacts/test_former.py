"""Coming from another provider (F10): opt-outs first, safe to repeat; consents with a day and a way for each row."""

import csv
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from common.actor import SYSTEM
from consent.actions import opt_out_by_staff
from consent.actions.inbound import obey_inbound
from consent.models import ConsentRecord, ConsentState, OptOut
from consent.rules.media import Level, Medium
from contacts.actions import run_import
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
from tests.architecture.test_isolation import signed_in
from tests.contacts.test_import import imported
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
ADA, BEN = "+12567346043", "+12052212310"


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
    assert (done.created, done.unchanged, done.duplicates, done.invalid) == (2, 0, 1, 2)
    assert errors_of(done) == [("4", "Phone"), ("5", "Opted out at")]
    found = stopped(world)
    assert set(found) == {ADA, BEN}
    assert found[ADA].opted_out_at.date() == date(2025, 5, 4)  # the newest row counts
    assert (found[ADA].source, found[ADA].detail) == ("FILE", "STOP reply")
    assert found[BEN].opted_out_at.date() == date(2025, 12, 31)  # none of its own
    with world.scope():
        assert Contact.objects.count() == 1
        assert not ConsentState.objects.get(phone=ADA).granted


def test_the_same_file_again_changes_nothing(world: World) -> None:
    opt_outs(world)
    before = stopped(world)
    done = opt_outs(world)
    assert (done.created, done.unchanged) == (0, 2)
    assert {phone: row.opted_out_at for phone, row in stopped(world).items()} == {
        phone: row.opted_out_at for phone, row in before.items()
    }


def test_who_came_back_since_stays_back(world: World, now: datetime) -> None:
    world.add_contact(ADA)
    opt_outs(world)
    with world.scope():
        obey_inbound(
            phone=ADA,
            sender_number_id=world.number.id,
            toll_free=False,
            body="START",
            inbound_sid="SM1",
            carrier_replied=False,
            organization_name="Bakery",
            received_at=now,
            now=now,
        )
        assert ConsentState.objects.get(phone=ADA, program_id=world.program.id).granted
    done = opt_outs(world)
    assert (done.created, done.unchanged) == (0, 2)
    assert set(stopped(world)) == {BEN}
    with world.scope():
        assert ConsentState.objects.get(phone=ADA, program_id=world.program.id).granted


def test_who_stopped_there_is_not_textable_whatever_comes_later(world: World, now: datetime) -> None:
    opt_outs(world)
    done = imported(world, f"Name,Phone\nAda,{ADA}\nNew,775-686-5760\n", now)
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
        ("OPT_OUTS", {"stopped_by": "2999-01-01"}, "cannot lie in the future"),
        ("OPT_OUTS", {"stopped_by": "2025-01-01", "column_0": ""}, "which column holds the phone"),
        ("CONSENTS", {"how": "Acme", "column_2": ""}, "Say which column is “How they agreed”"),
        ("CONSENTS", {"how": " "}, "This field is required"),
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
        ("In store", Medium.PAPER_FORM),
        ("double opt-in", Medium.DOUBLE_OPT_IN),
        ("phone call", None),
        ("", None),
        *((medium.value, medium) for medium in Medium if medium not in (Medium.INBOUND_TEXT, Medium.OTP_FLOW)),
    ],
)
def test_ways_of_agreeing_are_known_by_many_words(said: str, medium: Medium | None) -> None:
    assert medium_named(said) == medium


def test_rows_are_read_or_refused() -> None:
    read = opt_out_reader({0: "phone", 1: "stopped_on"}, columns=2, country="US")
    assert read(["256-734-6043", "12/31/2024 23:59"]).on == date(2024, 12, 31)
    assert read(["256-734-6043"]).on is None
    for row in (["", "2024-01-01"], ["12", ""], ["256-734-6043", "x"], ["256-734-6043", "2024-01-01", "more"]):
        with pytest.raises(InvalidRow):
            read(row)
    columns = {0: "phone", 1: "agreed_on", 2: "medium"}
    level, until = Level.INFORMATIONAL, date(2024, 6, 1)
    agreed = consent_reader(columns, columns=3, country="US", level=level, until=until)
    with pytest.raises(InvalidRow, match="future"):
        agreed(["256-734-6043", "2024-06-02", "web"])
    assert agreed(["256-734-6043", "2024-01-01", "web"]) == Agreed(ADA, date(2024, 1, 1), Medium.WEB_FORM)


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


# A file of contacts that says itself who stopped --------------------------------------------------------------------

MIXED = f"""Name,Phone,Unsubscribed
Ada,{ADA},no
Ben,{BEN},yes
Ada again,{ADA},2025-02-03
Eve,775-686-5760,
Odd,775-686-5761,perhaps
"""


def test_opt_outs_of_a_file_go_before_anything_else_of_it(world: World, now: datetime) -> None:
    """Also of a second row of the same phone: nobody is textable for a moment in between."""
    done = imported(world, MIXED, now)
    assert (done.created, done.duplicates, done.invalid, done.opted_out) == (3, 1, 1, 2)
    assert set(stopped(world)) == {ADA, BEN}
    with world.scope():
        granted = ConsentRecord.objects.filter(action="GRANT").values_list("phone", flat=True)
        assert list(granted) == ["+17756865760"]
    again = imported(world, MIXED, now + timedelta(days=1))
    assert (again.unchanged, again.opted_out) == (3, 2)


def test_nobody_stops_in_the_future(world: World, now: datetime) -> None:
    imported(world, f"Name,Phone,Opted out\nAda,{ADA},2999-01-01\n", now)
    assert stopped(world)[ADA].opted_out_at <= datetime.now(UTC)
