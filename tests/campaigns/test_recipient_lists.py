"""Files of recipients and further audiences of a campaign, through the pages."""

import csv
import re
from datetime import datetime, timedelta
from io import StringIO
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import AuditEvent
from billing.models import Plan
from campaigns.actions import LaunchRefused, advance, launch_outreach, quote_outreach, schedule_outreach, write_messages
from campaigns.models import Campaign, Outreach, QuoteChunk
from common.actor import SYSTEM
from common.clock import now as real_now
from consent.actions import opt_out_by_staff
from consent.queries import opted_out_among
from contacts.actions import add_to_list, list_named, run_import
from contacts.models import Contact, ContactList, ContactPhone, Import, ImportedPerson
from content.models import Job
from content.queries import path_of
from dashboard.actions import UndoRefused, request_undo, undo_import
from messaging.models import Message, Stream
from tests.architecture.test_isolation import signed_in
from tests.contacts.test_import import request
from tests.world import ACTOR, World

FILE = """time zone,phone number,name,Appointment
America/New_York,+1 212 555 0101,Maria González,Tuesday at 9:00
america/chicago,13125550102,Robert Smith,Tuesday at 9:30
Mars/Olympus,3055550103,Nobody,never
,3055550104,Stopped Sam,Friday
,3055550105,No Time,
,+1 212 555 0101,Maria again,Monday
,305,Short,never
a,b,c,d,e
"""
BODY = "Hi {{ first_name }}, we see you on {{ custom.appointment }}."
STATEMENT = {"medium": "WEB_FORM", "agreed_on": "2026-01-01", "how": "They ticked the box.", "country": "US"}


def draft(world: World) -> Outreach:
    return world.campaign(body="Hello {{ first_name|there }}")


def send_file(world: World, campaign: Campaign, content: str = FILE, **changes: Any) -> str:
    """Upload a file for a campaign and take it; the page that comes then."""
    client = signed_in(world)
    file = SimpleUploadedFile("visits.csv", content.encode())
    upload = client.post(f"/campaigns/{campaign.id}/upload/", {"file": file})
    assert upload.status_code == 302, upload.content.decode()
    page = client.get(upload["Location"]).content.decode()
    columns = {
        name: (re.search(r'value="([^"]*)" selected', options) or ["", ""])[1]
        for name, options in re.findall(r'<select[^>]*name="(column_\d+)"[^>]*>(.*?)</select>', page, flags=re.DOTALL)
    }
    data = columns | STATEMENT | {"program": world.program.id, "existing": "APART", "start": "now"} | changes
    return client.post(upload["Location"], data, follow=True).content.decode()


def read_file(world: World) -> Import:
    """What the worker does."""
    with world.scope():
        newest = Import.objects.order_by("-id")[0]
    run_import(organization_id=world.id, import_id=newest.id, actor=SYSTEM)
    with world.scope():
        return Import.objects.select_related("error_file", "job").get(id=newest.id)


def quoted(world: World, outreach: Outreach) -> Outreach:
    """What the worker does with the job of a quote."""
    with world.scope():
        Job.objects.filter(kind=f"quote:{outreach.id}").update(state=Job.State.DONE)
    quote_outreach(organization_id=world.id, outreach_id=outreach.id, now=world.now)
    return world.fresh(outreach)


@pytest.fixture
def filed(world: World, now: datetime) -> Outreach:
    """A draft for the people of the file, none of whom is a contact."""
    outreach = draft(world)
    with world.scope():
        opt_out_by_staff("+13055550104", actor=ACTOR, now=now)
        Campaign.objects.filter(id=outreach.campaign_id).update(body=BODY)
        campaign = Campaign.objects.get(id=outreach.campaign_id)
    send_file(world, campaign)
    return world.fresh(outreach)


def test_the_template_shows_how_and_can_be_uploaded_as_it_is(world: World) -> None:
    outreach = draft(world)
    file = signed_in(world).get(f"/campaigns/{outreach.campaign_id}/upload/template.csv")
    rows = list(csv.reader(StringIO(file.content.decode("utf-8-sig"))))
    assert rows[0][:3] == ["time zone", "phone number", "name"]
    send_file(world, outreach.campaign, file.content.decode("utf-8-sig"))
    assert (read_file(world).unchanged, read_file(world).invalid) == (3, 0)


def test_people_of_a_file_are_texted_and_become_no_contacts(world: World, filed: Outreach, now: datetime) -> None:
    brought = read_file(world)
    assert (brought.unchanged, brought.duplicates, brought.opted_out) == (4, 1, 1)
    assert brought.faults == {"bad_zone": 1, "bad_phone": 1, "extra_fields": 1}
    assert brought.error_file is not None
    errors = list(csv.DictReader(path_of(brought.error_file).open(encoding="utf-8-sig")))
    assert [(row["Row"], row["Column"]) for row in errors] == [("3", "time zone"), ("7", "phone number"), ("8", "")]
    outreach = quoted(world, filed)
    with world.scope():
        assert not Contact.objects.exists()
        chunk = QuoteChunk.objects.get(outreach=outreach)
        assert chunk.phones == ["+12125550101", "+13125550102"]
        assert all(one < 0 for one in chunk.contact_ids)
    left_out = signed_in(world).get(f"/campaigns/{outreach.campaign_id}/left-out/").content.decode()
    assert "Stopped Sam" in left_out
    assert "No Time" in left_out  # a field of the text is empty
    world.launch(outreach)
    texts = {message.phone: message.body for message in world.messages()}
    assert texts["+12125550101"].startswith("Hi Maria, we see you on Tuesday at 9:00.")
    assert texts["+13125550102"].startswith("Hi Robert, we see you on Tuesday at 9:30.")
    page = signed_in(world).get(f"/campaigns/{outreach.campaign_id}/recipients/").content.decode()
    assert "Maria González" in page


def test_whose_phone_is_a_contacts_dead_one_is_left_out(world: World, filed: Outreach) -> None:
    world.add_contact("+12125550101")
    with world.scope():
        ContactPhone.objects.update(textable=False)
    read_file(world)
    outreach = quoted(world, filed)
    with world.scope():
        assert QuoteChunk.objects.get(outreach=outreach).phones == ["+13125550102"]


def test_hours_are_those_of_the_row(world: World, filed: Outreach) -> None:
    """C6: the zone of the row, else what the phone says."""
    read_file(world)
    with world.scope():
        hours = [None if day in (5, 6) else [540, 600] for day in range(7)]
        Campaign.objects.update(sending_hours=hours, body="Hi {{ first_name|you }}")
    outreach = world.launch(quoted(world, filed))
    with world.scope():
        buckets = {row.phone: Stream.objects.get(id=row.stream_id).bucket for row in Message.objects.all()}
        assert Stream.objects.filter(source=outreach.source).count() == 3  # New York, Illinois, Florida
    assert buckets["+12125550101"].startswith("America/New_York")
    assert buckets["+13125550102"].startswith("America/Chicago")
    assert buckets["+13055550105"] == buckets["+12125550101"].replace("|NY", "|FL")


def test_where_a_known_person_lives_counts_before_what_their_phone_says(world: World, filed: Outreach) -> None:
    world.add_contact("+13055550105", time_zone="Pacific/Honolulu")
    world.add_contact("+12125550101", time_zone="America/Denver")
    read_file(world)
    with world.scope():
        Campaign.objects.update(sending_hours=[[540, 600]] * 7, body="Hi {{ first_name|you }}")
    world.launch(quoted(world, filed))
    with world.scope():
        buckets = {row.phone: Stream.objects.get(id=row.stream_id).bucket for row in Message.objects.all()}
    assert buckets["+13055550105"].startswith("Pacific/Honolulu|")
    assert buckets["+12125550101"].startswith("America/Denver|"), "their own zone, then the row's"
    assert buckets["+13125550102"].startswith("America/Chicago|")


def test_they_become_contacts_where_that_is_chosen(world: World) -> None:
    outreach = draft(world)
    send_file(world, outreach.campaign, existing="UPDATE")
    read_file(world)
    outreach = quoted(world, world.fresh(outreach))
    with world.scope():
        assert Contact.objects.count() == 4
        assert not ImportedPerson.objects.exists()
        assert ContactList.objects.get(id=outreach.list_ids[0]).name == "News: visits.csv"
        assert outreach.recipients == 4
        assert Contact.objects.get(first_name="Maria").time_zone == "America/New_York"


def test_too_many_recipients_are_refused_with_the_limit(world: World) -> None:
    Plan.objects.update(recipient_rows=5)
    page = send_file(world, draft(world).campaign)
    assert "Too many recipients: the file has 8, and your plan takes 5" in page
    with world.scope():
        assert not Import.objects.exists()
    Plan.objects.update(recipient_rows=8)
    assert "Too many recipients" not in send_file(world, draft(world).campaign)


def test_a_file_that_is_being_read_holds_the_review(world: World, filed: Outreach) -> None:
    client = signed_in(world)
    form = {"form_id": filed.campaign.form_id, "whom": f"file:{filed.import_id}", "revision": 99, "overwrite": 1}
    data = form | {"name": "News", "body": BODY, "program": world.program.id, "number": world.number.id}
    page = client.post(f"/campaigns/{filed.campaign_id}/edit/", data | {"then": "review"}).content.decode()
    assert "visits.csv is still being read" in page
    read_file(world)
    answer = client.post(f"/campaigns/{filed.campaign_id}/edit/", data | {"then": "review", "revision": 100})
    assert answer.status_code == 302
    with world.scope():
        assert world.fresh(filed).import_id == filed.import_id


def test_a_file_of_another_campaign_cannot_be_chosen(world: World, filed: Outreach) -> None:
    other = draft(world)
    data = {"form_id": other.campaign.form_id, "whom": f"file:{filed.import_id}", "revision": 99, "overwrite": 1}
    signed_in(world).post(f"/campaigns/{other.campaign_id}/edit/", data | {"then": "draft"})
    assert world.fresh(other).import_id is None


def test_undoing_takes_the_people_of_a_file_back(world: World, filed: Outreach) -> None:
    brought = read_file(world)
    with world.scope():
        request_undo(brought.id, actor=ACTOR, now=real_now())
    undo_import(organization_id=world.id, import_id=brought.id, actor=ACTOR)
    with world.scope():
        assert not ImportedPerson.objects.exists()
    assert quoted(world, filed).recipients == 0


# More audiences ------------------------------------------------------------------------------------------------------


@pytest.fixture
def running(world: World, now: datetime) -> Outreach:
    """A campaign that was sent to a list of two, and a list of three with one of them."""
    people = [world.add_contact(f"+1305555011{n}", first_name=f"N{n}") for n in range(4)]
    with world.scope():
        add_to_list(list_named("First", now=now), [one.id for one in people[:2]], actor=ACTOR, now=now)
        add_to_list(list_named("Second", now=now), [one.id for one in people[1:]], actor=ACTOR, now=now)
        outreach = draft(world)
        outreach.everyone, outreach.list_ids = False, [list_named("First", now=now).id]
        outreach.save()
    return world.launch(quoted(world, outreach))


def add_list(world: World, client: Client, outreach: Outreach, name: str, **changes: Any) -> str:
    with world.scope():
        chosen = list_named(name, now=world.now)
    data = {"whom": "lists", "lists": [chosen.id], "phone_label": "MOBILE", "start": "now"} | changes
    return client.post(f"/campaigns/{outreach.campaign_id}/outreaches/", data, follow=True).content.decode()


def newest(world: World) -> Outreach:
    with world.scope():
        return Outreach.objects.select_related("campaign").order_by("-id")[0]


def test_more_people_get_the_same_text_and_nobody_gets_it_twice(world: World, running: Outreach) -> None:
    client = signed_in(world)
    page = add_list(world, client, running, "Second")
    assert "Writing and pricing every text" in page
    second = quoted(world, newest(world))
    url = f"/campaigns/{running.campaign_id}/outreaches/{second.id}/"
    page = client.get(url).content.decode()
    assert "2 messages" in page
    assert "Already in this campaign" in page
    page = client.post(url, {"quote": second.quote_id}, follow=True).content.decode()
    write_messages(organization_id=world.id, outreach_id=second.id, now=world.now)
    assert "Second" in page
    assert "First" in page
    assert [one.phone[-1] for one in world.messages()] == ["0", "1", "2", "3"]
    page = client.get(f"/campaigns/{running.campaign_id}/").content.decode()
    assert "of 4</strong>" in page
    client.post(url, {"quote": second.quote_id})  # the second click
    assert len(world.messages()) == 4


def test_a_copy_is_for_everybody_whom_the_campaign_was_for(world: World, running: Outreach) -> None:
    add_list(world, signed_in(world), running, "Second")
    world.launch(quoted(world, newest(world)))
    client = signed_in(world)
    client.post(f"/campaigns/{running.campaign_id}/duplicate/", {"form_id": str(uuid4())})
    with world.scope():
        names = {"First", "Second"}
        chosen = newest(world).list_ids
        assert {row.name for row in ContactList.objects.filter(id__in=chosen)} == names


def test_an_end_counts_who_was_not_reached(world: World, running: Outreach, now: datetime) -> None:
    client, ends = signed_in(world), now + timedelta(hours=2)
    local = ends.astimezone(ZoneInfo(world.organization.time_zone)).strftime("%Y-%m-%dT%H:%M")
    add_list(world, client, running, "Second", ends_at=local)
    second = quoted(world, newest(world))
    assert second.ends_at == ends
    world.launch(second)
    advance(now=ends + timedelta(seconds=1))
    states = {one.phone[-1]: one.state for one in world.messages()}
    assert states["2"] == states["3"] == "EXPIRED"
    assert "EXPIRED" not in (states["0"], states["1"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"lists": []}, "Choose at least one list"),
        ({"ends_at": "2020-01-01T10:00"}, "end lies before the start"),
        ({"start": "later", "starts_at": ""}, "Choose the day and the time"),
        ({"start": "later", "starts_at": "2020-01-01T10:00"}, "start lies in the past"),
        ({"start": "later", "starts_at": "2099-01-02T10:00", "ends_at": "2099-01-01T10:00"}, "end lies before"),
    ],
)
def test_what_is_wrong_with_an_audience_is_said_and_nothing_added(
    world: World, running: Outreach, changes: dict[str, Any], words: str
) -> None:
    assert words in add_list(world, signed_in(world), running, "Second", **changes)
    assert newest(world).id == running.id


def test_an_audience_that_is_not_confirmed_is_taken_back(world: World, running: Outreach) -> None:
    client = signed_in(world)
    add_list(world, client, running, "Second")
    second = quoted(world, newest(world))
    remove = f"/campaigns/{running.campaign_id}/outreaches/{{}}/remove/"
    assert "cannot be taken back" in client.post(remove.format(running.id), follow=True).content.decode()
    assert "Taken back" in client.post(remove.format(second.id), follow=True).content.decode()
    with world.scope():
        assert list(Outreach.objects.values_list("id", flat=True)) == [running.id]
        assert not QuoteChunk.objects.filter(outreach_id=second.id).exists()
        assert AuditEvent.objects.filter(action="outreach.removed").exists()


def test_a_file_for_a_campaign_that_runs_is_an_audience_of_its_own(world: World, running: Outreach) -> None:
    page = send_file(world, running.campaign)
    assert "Reading visits.csv" in page
    read_file(world)
    second = newest(world)
    page = signed_in(world).get(f"/campaigns/{running.campaign_id}/outreaches/{second.id}/").content.decode()
    assert "Writing and pricing every text" in page  # what was waited for begins by itself
    assert quoted(world, second).recipients == 4 - len(opted(world))
    again = signed_in(world).get(f"/campaigns/{running.campaign_id}/outreaches/").content.decode()
    assert "visits.csv" in again


def test_a_second_file_of_the_same_name_is_another_audience(world: World, running: Outreach) -> None:
    """Neither the people of the first are texted again under it, nor those of the second forgotten."""
    for phone in ("305-555-0301", "305-555-0302"):
        send_file(world, running.campaign, f"name,phone\nN,{phone}\n", existing="UPDATE")
        read_file(world)
    with world.scope():
        added = Outreach.objects.exclude(id=running.id).order_by("id")
        assert len({tuple(one.list_ids) for one in added}) == 2
    assert [quoted(world, one).recipients for one in added] == [1, 1]


def test_a_campaign_that_was_sent_is_never_a_draft_again(world: World, running: Outreach, now: datetime) -> None:
    with world.scope():
        Message.objects.update(state="DELIVERED", captured=True)
        Outreach.objects.update(state="CLOSED", settled_at=now)
        Campaign.objects.update(state="COMPLETED")
    starts = (now + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    add_list(world, signed_in(world), running, "Second", start="later", starts_at=starts)
    second = quoted(world, newest(world))
    with world.scope():
        assert second.quote_id is not None
        schedule_outreach(second.id, quote_id=second.quote_id, actor=ACTOR, now=now)
        assert Campaign.objects.get().state == "SCHEDULED"
    remove = f"/campaigns/{running.campaign_id}/outreaches/{second.id}/remove/"
    assert "Taken back" in signed_in(world).post(remove, follow=True).content.decode()
    with world.scope():
        assert Campaign.objects.get().state == "COMPLETED"
        assert Campaign.objects.get().completed_at is not None


def test_a_start_waits_for_people_who_are_being_brought(world: World, running: Outreach, now: datetime) -> None:
    starts = now + timedelta(minutes=5)
    local = starts.astimezone(ZoneInfo(world.organization.time_zone)).strftime("%Y-%m-%dT%H:%M")
    add_list(world, signed_in(world), running, "Second", start="later", starts_at=local)
    second = quoted(world, newest(world))
    with world.scope():
        assert second.quote_id is not None
        schedule_outreach(second.id, quote_id=second.quote_id, ceiling=9, actor=ACTOR, now=now)
    request(world, "Name,Phone\nNew,305-555-0401\n", now, list_name="Second")
    advance(now=starts + timedelta(seconds=1))
    assert world.fresh(second).state == "SCHEDULED"
    read_file(world)
    advance(now=starts + timedelta(seconds=2))
    found = world.fresh(second)
    assert (found.state, found.recipients) == ("OPEN", 3)


def test_an_undone_file_leaves_nobody_never_everybody(world: World, filed: Outreach) -> None:
    brought = read_file(world)
    world.add_contact("+13055550500")
    with world.scope():
        request_undo(brought.id, actor=ACTOR, now=real_now())
    undo_import(organization_id=world.id, import_id=brought.id, actor=ACTOR)
    form = {"form_id": filed.campaign.form_id, "revision": 99, "overwrite": 1, "name": "News", "body": "Hi"}
    data = form | {"program": world.program.id, "number": world.number.id}
    for whom in ({}, {"whom": f"file:{brought.id}"}, {"whom": "nonsense"}):
        signed_in(world).post(f"/campaigns/{filed.campaign_id}/edit/", data | whom | {"then": "review"})
        assert not world.fresh(filed).everyone


def test_a_file_that_is_being_texted_is_not_undone(world: World, filed: Outreach) -> None:
    brought = read_file(world)
    world.launch(quoted(world, filed))
    with world.scope(), pytest.raises(UndoRefused, match="is texting the people of this file"):
        request_undo(brought.id, actor=ACTOR, now=real_now())


def test_an_end_that_has_passed_is_said_before_anything_is_reserved(world: World, running: Outreach) -> None:
    with world.scope():
        Outreach.objects.filter(id=running.id).update(state="QUOTED", ends_at=world.now)
    with world.scope(), pytest.raises(LaunchRefused, match="end has passed"):
        launch_outreach(running.id, quote_id=running.quote_id, actor=ACTOR, now=world.now)  # type: ignore[arg-type]


def opted(world: World) -> frozenset[str]:
    with world.scope():
        return frozenset(opted_out_among(list(ImportedPerson.objects.values_list("phone", flat=True))))
