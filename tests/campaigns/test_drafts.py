"""Drafts that save themselves: nothing typed is lost, nothing is written twice."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from audiences.queries import Audience
from campaigns.actions import (
    CampaignRefused,
    DraftChanged,
    DraftContent,
    DraftOrigin,
    delete_draft,
    duplicate_campaign,
    preview,
    quote_outreach,
    run_quote,
    save_draft,
    schedule_outreach,
)
from campaigns.models import Campaign, Outreach, QuoteChunk
from campaigns.queries import forecast_of, prices
from contacts.actions import add_to_list, list_named
from content.models import Job
from tests.architecture.test_isolation import signed_in
from tests.world import ACTOR, World, build_world

BODY = "Hello {{ first_name|there }}"


@pytest.fixture
def content(world: World) -> DraftContent:
    return DraftContent("News", world.program, world.number, BODY)


def saved(
    world: World,
    content: DraftContent,
    now: datetime,
    *,
    form_id: UUID | None = None,
    revision: int = 0,
    overwrite: bool = False,
    **view: Any,
) -> Campaign:
    origin = DraftOrigin(form_id or uuid4(), revision, **view)
    with world.scope():
        return save_draft(content, origin=origin, overwrite=overwrite, actor=ACTOR, now=now)


def outreach_of(world: World, campaign: Campaign) -> Outreach:
    with world.scope():
        return Outreach.objects.select_related("campaign").get(campaign=campaign)


def test_an_empty_draft_is_kept_but_not_quoted(world: World, now: datetime) -> None:
    draft = saved(world, DraftContent("", None, None, ""), now)
    assert str(draft) == "Untitled campaign"
    with pytest.raises(CampaignRefused, match="name") as refusal:
        quote_outreach(organization_id=world.id, outreach_id=outreach_of(world, draft).id, now=now)
    assert refusal.value.facts["field"] == "name"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"number": None}, "number"),
        ({"program": None}, "program"),
        ({"body": " "}, "body"),
        ({"body": "Hi {{ frist_name }}"}, "body"),
        ({"sending_hours": (None,) * 7}, "hours"),
        ({"audience": Audience(everyone=False)}, "lists"),
    ],
)
def test_a_draft_that_lacks_something_says_what(
    world: World, content: DraftContent, now: datetime, change: dict[str, Any], field: str
) -> None:
    draft = saved(world, replace(content, **change), now)
    with pytest.raises(CampaignRefused) as refusal:
        quote_outreach(organization_id=world.id, outreach_id=outreach_of(world, draft).id, now=now)
    assert refusal.value.facts["field"] == field


def test_the_database_holds_that_only_drafts_are_incomplete(world: World, now: datetime) -> None:
    draft = saved(world, DraftContent("", None, None, ""), now)
    with world.scope(), pytest.raises(IntegrityError), transaction.atomic():
        Campaign.objects.filter(id=draft.id).update(state="SENDING")


def test_the_same_form_twice_is_one_draft(world: World, content: DraftContent, now: datetime) -> None:
    form_id = uuid4()
    first = saved(world, content, now, form_id=form_id)
    second = saved(world, content, now, form_id=form_id)
    assert (first.id, first.revision) == (second.id, second.revision)
    with world.scope():
        assert Campaign.objects.count() == Outreach.objects.count() == 1


def test_two_windows_do_not_overwrite_each_other_unseen(world: World, content: DraftContent, now: datetime) -> None:
    draft = saved(world, content, now)
    one = replace(content, body="One")
    other = replace(content, body="Other")
    facts: dict[str, Any] = {"form_id": draft.form_id, "revision": draft.revision}
    assert saved(world, one, now, **facts).revision == draft.revision + 1
    with pytest.raises(DraftChanged, match="Tess Tester"):
        saved(world, other, now, **facts)
    with world.scope():
        assert Campaign.objects.get().body == "One"
    assert saved(world, one, now, **facts).body == "One"  # the same words again are no conflict
    assert saved(world, other, now, **facts, overwrite=True).body == "Other"


def test_of_one_view_the_newest_step_stands_whenever_it_comes(
    world: World, content: DraftContent, now: datetime
) -> None:
    form_id, window = uuid4(), uuid4()
    view: dict[str, Any] = {"form_id": form_id, "window": window}
    saved(world, replace(content, body="First"), now, **view, step=1)
    saved(world, replace(content, body="Third"), now, **view, step=3)  # before the answer to the first was seen
    assert saved(world, replace(content, body="Second"), now, **view, step=2).body == "Third"
    with pytest.raises(DraftChanged):
        saved(world, replace(content, body="Elsewhere"), now, form_id=form_id, window=uuid4(), step=9)


def test_hours_that_cannot_be_read_yet_leave_the_stored_ones(world: World, now: datetime) -> None:
    client, form = signed_in(world), form_of(world, hours="given", opens_0="09:00", closes_0="17:00")
    form |= {"start": "later", "starts_at": "2026-12-24T09:15"}
    client.post("/campaigns/draft/", form, headers={"HX-Request": "true"})
    half = form | {"revision": "1", "opens_5": "10:00", "starts_at": "", "body": "New words"}
    page = client.post("/campaigns/draft/", half, headers={"HX-Request": "true"}).content.decode()
    assert "Saturday needs an opening and a later closing time" in page
    campaign = the_campaign(world)
    assert campaign.body == "New words"
    assert campaign.sending_hours == [[540, 1020], None, None, None, None, None, None]
    assert outreach_of(world, campaign).starts_at is not None


def test_changed_words_void_the_quote_and_unchanged_ones_do_not(
    world: World, content: DraftContent, now: datetime
) -> None:
    world.add_contact("+12567346043", first_name="Ada")
    draft = saved(world, content, now)
    outreach = outreach_of(world, draft)
    quote_id = quote_outreach(organization_id=world.id, outreach_id=outreach.id, now=now)
    facts: dict[str, Any] = {"form_id": draft.form_id, "revision": draft.revision}
    saved(world, content, now, **facts)
    assert outreach_of(world, draft).quote_id == quote_id
    saved(world, replace(content, body="Other"), now, **facts)
    fresh = outreach_of(world, draft)
    assert fresh.quote_id != quote_id
    assert fresh.quoted_at is None


def test_what_is_under_way_is_not_changed(world: World, content: DraftContent, now: datetime) -> None:
    world.add_contact("+12567346043", first_name="Ada")
    draft = saved(world, content, now)
    quote_outreach(organization_id=world.id, outreach_id=outreach_of(world, draft).id, now=now)
    world.launch(outreach_of(world, draft))
    with pytest.raises(CampaignRefused, match="under way"):
        saved(world, replace(content, body="Other"), now, form_id=draft.form_id, revision=draft.revision)
    with world.scope(), pytest.raises(CampaignRefused, match="cancel it"):
        delete_draft(draft.id, actor=ACTOR, now=now)


def test_a_draft_is_thrown_away_with_its_quote(world: World, content: DraftContent, now: datetime) -> None:
    world.add_contact("+12567346043", first_name="Ada")
    draft = saved(world, content, now)
    quote_outreach(organization_id=world.id, outreach_id=outreach_of(world, draft).id, now=now)
    with world.scope():
        delete_draft(draft.id, actor=ACTOR, now=now)
        assert not Campaign.objects.exists()
        assert not QuoteChunk.objects.exists()


def test_the_prices_of_a_quote_add_up_to_it(world: World, content: DraftContent, now: datetime) -> None:
    for number, name in enumerate(["Ada", "Łukasz", "Bo", "Zoë" * 30]):
        world.add_contact(f"+1256734604{number}", first_name=name)
    draft = saved(world, content, now)
    quote_outreach(organization_id=world.id, outreach_id=outreach_of(world, draft).id, now=now)
    outreach = outreach_of(world, draft)
    lines = prices(outreach)
    assert sum(line.people for line in lines) == outreach.recipients == 4
    assert sum(line.credits for line in lines) == outreach.credits
    assert sum(line.people * line.segments for line in lines) == outreach.segments
    assert [(line.encoding, line.segments) for line in lines] == [("GSM-7", 1), ("UCS-2", 1), ("UCS-2", 2)]


def test_the_preview_is_the_text_of_a_real_person(world: World, content: DraftContent, now: datetime) -> None:
    world.add_contact("+12567346043", first_name="Ada", last_name="Byron")
    world.add_contact("+12567346044", first_name="Bo")
    world.add_contact("+12567346045", first_name="Cy", consent=False)
    outreach = outreach_of(world, saved(world, content, now))
    with world.scope():
        first, second, again = (preview(outreach, place=place, now=now) for place in (0, 1, 2))
    assert (first.person, first.text) == ("Ada Byron", "Hello Ada\nReply STOP to stop.")
    assert second.person == "Bo"
    assert again.person == "Ada Byron"  # Cy did not agree and is never shown
    assert (first.audience, first.people, first.segments, first.credits) == (3, 2, 1, 3)


def test_a_preview_of_words_that_cannot_be_read_says_where(world: World, content: DraftContent, now: datetime) -> None:
    outreach = outreach_of(world, saved(world, replace(content, body="Hi {{ frist_name }}"), now))
    with world.scope():
        assert "first_name" in preview(outreach, place=0, now=now).fault


# Through the page ----------------------------------------------------------------------------------------------------


def form_of(world: World, **changes: str) -> dict[str, str]:
    return {
        "form_id": str(uuid4()),
        "revision": "0",
        "name": "News",
        "number": str(world.number.id),
        "program": str(world.program.id),
        "body": BODY,
        "opt_out_word": "STOP",
        "whom": "everyone",
        "start": "now",
        "hours": "any",
    } | changes


def the_campaign(world: World) -> Campaign:
    with world.scope():
        return Campaign.objects.get()


def test_the_composer_saves_itself_whatever_is_missing(world: World) -> None:
    client = signed_in(world)
    form = form_of(world, name="", body="Half a sen", start="later", starts_at="", opens_0="nonsense")
    response = client.post("/campaigns/draft/", form, headers={"HX-Request": "true"})
    campaign = the_campaign(world)
    assert response["HX-Replace-Url"] == f"/campaigns/{campaign.id}/edit/"
    assert campaign.body == "Half a sen"
    assert 'id="id_revision" value="1"' in response.content.decode()
    assert "Half a sen" in client.get(response["HX-Replace-Url"]).content.decode()


def test_a_signed_out_browser_is_told_so_and_keeps_its_words(world: World) -> None:
    response = Client().post("/campaigns/draft/", form_of(world), headers={"HX-Request": "true"})
    assert response.status_code == 401


def test_a_conflict_is_told_beside_the_words(world: World) -> None:
    client, form = signed_in(world), form_of(world)
    client.post("/campaigns/draft/", form, headers={"HX-Request": "true"})
    page = client.post("/campaigns/draft/", form | {"body": "Mine"}, headers={"HX-Request": "true"}).content.decode()
    assert "in another window" in page
    assert the_campaign(world).body == BODY
    answer = client.post("/campaigns/new/", form | {"body": "Mine", "then": "draft"})
    assert "Save mine over it" in answer.content.decode()
    assert "Mine" in answer.content.decode()
    client.post("/campaigns/new/", form | {"body": "Mine", "then": "draft", "overwrite": "1"})
    assert the_campaign(world).body == "Mine"


def test_hours_and_start_come_back_as_they_were_chosen(world: World) -> None:
    client = signed_in(world)
    form = form_of(world, hours="given", opens_0="09:00", closes_0="17:30", opens_6="10:00", closes_6="00:00")
    form |= {"start": "later", "starts_at": "2026-12-24T09:15"}
    client.post("/campaigns/new/", form | {"then": "draft"})
    campaign = the_campaign(world)
    assert campaign.sending_hours == [[540, 1050], None, None, None, None, None, [600, 1440]]
    outreach = outreach_of(world, campaign)
    assert outreach.starts_at is not None
    assert outreach.starts_at.isoformat() == "2026-12-24T14:15:00+00:00"  # a quarter past nine in New York
    page = client.get(f"/campaigns/{campaign.id}/edit/").content.decode()
    for value in ("09:00", "17:30", "10:00", "00:00", "2026-12-24T09:15"):
        assert f'value="{value}"' in page


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"hours": "given", "opens_0": "09:00"}, "Monday needs an opening and a later closing time"),
        ({"hours": "given", "opens_0": "09:00", "closes_0": "08:00"}, "Monday needs an opening and a later"),
        ({"start": "later"}, "Choose the day and the time."),
        ({"whom": "lists"}, "Choose at least one list"),
        ({"name": ""}, "Give the campaign a name"),
        ({"hours": "given"}, "Every day is closed"),
    ],
)
def test_what_cannot_be_sent_is_said_at_its_field(world: World, change: dict[str, str], words: str) -> None:
    page = signed_in(world).post("/campaigns/new/", form_of(world) | change).content.decode()
    assert words in page
    assert BODY.replace("'", "&#x27;") in page


def test_a_list_of_another_tenant_is_no_choice(world: World, now: datetime) -> None:
    other = build_world(now)
    with other.scope():
        theirs = list_named("Theirs", now=now)
    form = form_of(world, whom="lists", lists=str(theirs.id), program=str(other.program.id))
    signed_in(world).post("/campaigns/draft/", form, headers={"HX-Request": "true"})
    campaign = the_campaign(world)
    assert campaign.program_id is None
    assert outreach_of(world, campaign).list_ids == []


def test_lists_count_each_person_once(world: World, content: DraftContent, now: datetime) -> None:
    ids = [world.add_contact(f"+1256734604{number}", first_name="A").id for number in range(3)]
    with world.scope():
        one, two = (list_named(name, now=now) for name in ("One", "Two"))
        assert add_to_list(one, ids[:2], actor=ACTOR, now=now) == 2
        assert add_to_list(one, ids[:2], actor=ACTOR, now=now) == 0
        add_to_list(two, ids[1:], actor=ACTOR, now=now)
    chosen = Audience(everyone=False, list_ids=(one.id, two.id))
    outreach = outreach_of(world, saved(world, replace(content, audience=chosen), now))
    with world.scope():
        assert preview(outreach, place=0, now=now).audience == 3


def test_a_schedule_is_taken_back_for_changes(world: World, content: DraftContent, now: datetime) -> None:
    world.add_contact("+12567346043", first_name="Ada")
    draft = saved(world, replace(content, starts_at=now + timedelta(days=2)), now)
    quote_outreach(organization_id=world.id, outreach_id=outreach_of(world, draft).id, now=now)
    outreach = outreach_of(world, draft)
    assert outreach.quote_id is not None
    with world.scope():
        schedule_outreach(outreach.id, quote_id=outreach.quote_id, actor=ACTOR, now=now)
    client = signed_in(world)
    assert "credits come back" in client.get(f"/campaigns/{draft.id}/unschedule/").content.decode()
    assert client.post(f"/campaigns/{draft.id}/unschedule/")["Location"] == f"/campaigns/{draft.id}/edit/"
    assert the_campaign(world).state == "DRAFT"
    assert BODY in client.get(f"/campaigns/{draft.id}/edit/").content.decode()
    quote_outreach(organization_id=world.id, outreach_id=outreach.id, now=now)
    outreach = outreach_of(world, draft)
    assert outreach.quote_id is not None
    with world.scope():  # confirmed anew, unchanged
        schedule_outreach(outreach.id, quote_id=outreach.quote_id, actor=ACTOR, now=now)
    assert the_campaign(world).state == "SCHEDULED"


def test_a_refused_form_goes_on_from_what_it_saved(world: World) -> None:
    client, form = signed_in(world), form_of(world, name="")
    page = client.post("/campaigns/new/", form).content.decode()
    assert "Give the campaign a name" in page
    assert "Save mine over it" not in page
    revision = re.search(r'name="revision" id="id_revision" value="(\d+)"', page)
    assert revision is not None
    answer = client.post("/campaigns/new/", form | {"name": "Now", "revision": revision[1]})
    assert answer.status_code == 302


def test_people_who_came_since_are_in_the_new_quote(world: World) -> None:
    client, form = signed_in(world), form_of(world)
    world.add_contact("+12567346043", first_name="Ada")
    client.post("/campaigns/new/", form)
    campaign = the_campaign(world)
    with world.scope():
        assert Job.objects.filter(kind=f"quote:{outreach_of(world, campaign).id}").count() == 1
        Job.objects.update(state=Job.State.DONE)
    client.post(f"/campaigns/{campaign.id}/edit/", form | {"revision": "1"})
    with world.scope():
        assert Job.objects.filter(kind=f"quote:{outreach_of(world, campaign).id}").count() == 2


def test_a_quote_whose_worker_died_does_not_hold_the_page(world: World, now: datetime) -> None:
    client = signed_in(world)
    client.post("/campaigns/new/", form_of(world))
    campaign = the_campaign(world)
    address = f"/campaigns/{campaign.id}/review/"
    assert "Writing and pricing every text" in client.get(address).content.decode()
    with world.scope():
        Job.objects.update(updated_at=now - timedelta(days=400))
    page = client.get(address).content.decode()
    assert "Writing and pricing" not in page
    assert "Back to the text" in page


def test_a_start_that_has_passed_is_said_at_once(world: World) -> None:
    page = signed_in(world).post("/campaigns/new/", form_of(world, start="later", starts_at="2020-01-01T09:00"))
    assert "The start lies in the past" in page.content.decode()


def test_a_campaign_is_duplicated_once_for_each_form(world: World, content: DraftContent, now: datetime) -> None:
    world.add_contact("+12567346043", first_name="Ada")
    draft = saved(world, content, now)
    quote_outreach(organization_id=world.id, outreach_id=outreach_of(world, draft).id, now=now)
    world.launch(outreach_of(world, draft))
    client, form = signed_in(world), {"form_id": str(uuid4())}
    first, second = (client.post(f"/campaigns/{draft.id}/duplicate/", form) for _ in range(2))
    assert first["Location"] == second["Location"]
    with world.scope():
        copy = Campaign.objects.get(state="DRAFT")
    assert (copy.name, copy.body, copy.program_id) == ("News (copy)", BODY, world.program.id)
    assert client.post(f"/campaigns/{draft.id}/duplicate/", {"form_id": "x"})["Location"] == f"/campaigns/{draft.id}/"


def test_a_hidden_half_typed_day_holds_up_nothing(world: World) -> None:
    client, form = signed_in(world), form_of(world, hours="given", opens_0="09:00", closes_0="17:00")
    client.post("/campaigns/draft/", form, headers={"HX-Request": "true"})
    any_hour = form | {"revision": "1", "hours": "any", "opens_1": "10:00", "closes_2": "nonsense"}
    assert client.post("/campaigns/new/", any_hour).status_code == 302
    assert the_campaign(world).sending_hours == [[0, 1440]] * 7


def test_words_that_were_deleted_again_do_not_come_back_late(
    world: World, content: DraftContent, now: datetime
) -> None:
    view: dict[str, Any] = {"form_id": uuid4(), "window": uuid4()}
    saved(world, content, now, **view, step=1)
    saved(world, content, now, **view, step=3)  # "b" typed and deleted
    assert saved(world, replace(content, body="b"), now, **view, step=2).body == BODY


def test_a_quote_that_is_ready_between_two_looks_is_shown(world: World) -> None:
    world.add_contact("+12567346043", first_name="Ada")
    client = signed_in(world)
    client.post("/campaigns/new/", form_of(world))
    outreach = outreach_of(world, the_campaign(world))
    with world.scope():
        job_id = Job.objects.get().id
    waiting = [job_id]

    def meanwhile(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        """The worker is through just before the page asks how far the job is."""
        if "content_job" in sql and waiting:
            run_quote(organization_id=world.id, outreach_id=outreach.id, job_id=waiting.pop())
        return execute(sql, params, many, context)

    with connection.execute_wrapper(meanwhile):
        page = client.get(f"/campaigns/{outreach.campaign_id}/review/").content.decode()
    assert "Send 1 message" in page


def test_so_many_an_hour_is_kept_copied_and_part_of_the_forecast(world: World, now: datetime) -> None:
    for number in range(4):
        world.add_contact(f"+1256734600{number}")
    client, form = signed_in(world), form_of(world, hourly_limit="2")
    client.post("/campaigns/draft/", form, headers={"HX-Request": "true"})
    half = form | {"revision": "1", "hourly_limit": "0"}
    page = client.post("/campaigns/draft/", half, headers={"HX-Request": "true"}).content.decode()
    assert "Until then what was saved of it stays" in page
    draft = the_campaign(world)
    assert draft.hourly_limit == 2
    with world.scope():
        assert duplicate_campaign(draft.id, form_id=uuid4(), actor=ACTOR, now=now).hourly_limit == 2
    outreach = outreach_of(world, draft)
    quote_outreach(organization_id=world.id, outreach_id=outreach.id, now=now)
    with world.scope():
        outreach.refresh_from_db()
        (phase,) = forecast_of(outreach, now=now)
    assert phase.ends - phase.starts == timedelta(hours=2)
