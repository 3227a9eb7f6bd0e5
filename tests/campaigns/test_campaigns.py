"""A campaign from draft to settled, by its actions against the database."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from accounts.models import AuditEvent, BlackoutDate
from audiences.models import Exclusion
from audiences.queries import Audience
from billing.actions import NotEnoughCredits
from billing.queries import current_account
from campaigns.actions import (
    CampaignRefused,
    LaunchRefused,
    add_outreach,
    advance,
    cancel_campaign,
    launch_outreach,
    pause_campaign,
    quote_outreach,
    resume_campaign,
    schedule_outreach,
    write_messages,
)
from campaigns.actions.control import NotPossibleNow
from campaigns.models import Campaign, Outreach
from campaigns.queries import forecast_of, held_by_hours, outreach_progress
from common.tenancy import across_organizations
from consent.actions import opt_out
from consent.models import OptOut
from consent.rules.lawful_hours import ALWAYS, Weekly, daily
from consent.rules.media import Level
from contacts.models import Contact, ContactPhone
from dashboard.actions import close_day, open_day
from messaging.models import Message, Stream
from messaging.queries import due_streams
from messaging.rules.states import State
from senders.actions import set_number_status
from senders.models import NumberStatus
from tests.world import ACTOR, World, build_world

PHONES = [f"+1256734{number:04}" for number in range(6000, 6010)]


def exclusions(world: World, outreach: Outreach) -> dict[str, str]:
    with world.scope():
        return dict(Exclusion.objects.filter(outreach_id=outreach.id).values_list("phone", "reason"))


def test_the_quote_says_who_gets_it_at_what_price_and_who_does_not(world: World, now: datetime) -> None:
    world.add_contact(PHONES[0], first_name="Ada")
    world.add_contact(PHONES[1], first_name="Bo" * 60)  # two segments
    world.add_contact(PHONES[2], consent=False, first_name="Cy")
    world.add_contact(PHONES[3], first_name="Di")
    world.add_contact(PHONES[4])
    world.add_contact(PHONES[5], first_name="Flo")
    with world.scope():
        opt_out(PHONES[3], source=OptOut.Source.STAFF, actor_label="x", now=now, medium="STAFF")
        ContactPhone.objects.filter(phone=PHONES[5]).update(textable=False)
        Contact.objects.create(organization=world.organization, first_name="Gus", created_at=now, updated_at=now)
    outreach = world.campaign(body="Hello {{ first_name }}, we open at eight.")
    assert (outreach.recipients, outreach.segments, outreach.credits, outreach.excluded) == (2, 3, 3, 5)
    assert exclusions(world, outreach) == {
        PHONES[2]: "no_consent",
        PHONES[3]: "opted_out",
        PHONES[4]: "missing_value",
        PHONES[5]: "not_textable",
        "": "no_phone",
    }


def test_a_text_too_long_with_its_name_is_left_out_and_told(world: World, now: datetime) -> None:
    world.organization.message_char_limit = 60
    world.add_contact(PHONES[0], first_name="Maximilian" * 6)
    with world.scope():
        world.organization.save()
    outreach = world.campaign(body="Hello {{ first_name|you }}")
    assert exclusions(world, outreach) == {PHONES[0]: "too_long"}


def test_the_message_basis_charges_one_for_each_text(db: None, now: datetime) -> None:
    world = build_world(now, plan="pro")
    world.add_contact(PHONES[0])
    outreach = world.campaign(body="long " * 60)
    assert (outreach.segments, outreach.credits) == (3, 1)


def test_launching_holds_the_quote_and_writes_each_message_once(world: World, now: datetime) -> None:
    for phone in PHONES:
        world.add_contact(phone, first_name="Ada")
    outreach = world.launch(world.campaign())
    world.launch(outreach)  # the second click
    write_messages(organization_id=world.id, outreach_id=outreach.id, now=now)  # the task delivered twice
    messages = world.messages()
    assert [message.phone for message in messages] == PHONES
    assert messages[0].body == "Hello Ada\nReply STOP to stop."
    with world.scope():
        assert current_account().held == outreach.credits == 10
        assert Campaign.objects.get().state == "SENDING"
        progress = outreach_progress(outreach.id)
    assert progress.outcomes[State.QUEUED].messages == 10
    assert progress.audience == progress.total == 10


def test_another_quote_than_the_one_seen_is_refused(world: World, now: datetime) -> None:
    world.add_contact(PHONES[0])
    outreach = world.campaign()
    with world.scope(), pytest.raises(LaunchRefused, match="changed since you saw it"):
        launch_outreach(outreach.id, quote_id=uuid4(), actor=ACTOR, now=now)


def test_a_number_that_is_not_registered_cannot_launch(world: World, now: datetime) -> None:
    world.add_contact(PHONES[0])
    outreach = world.campaign()
    with world.scope():
        set_number_status(world.number.id, status=NumberStatus.SUSPENDED, actor=ACTOR, now=now)
        with pytest.raises(LaunchRefused, match="Register it under Numbers"):
            launch_outreach(outreach.id, quote_id=outreach.quote_id, actor=ACTOR, now=now)  # type: ignore[arg-type]


def test_nobody_and_too_few_credits_are_refused_with_the_next_step(db: None, now: datetime) -> None:
    world = build_world(now, credits=1)
    empty = world.campaign()
    with world.scope(), pytest.raises(LaunchRefused, match="Nobody is left"):
        launch_outreach(empty.id, quote_id=empty.quote_id, actor=ACTOR, now=now)  # type: ignore[arg-type]
    for phone in PHONES:
        world.add_contact(phone)
    full = world.campaign()
    with world.scope(), pytest.raises(NotEnoughCredits, match="9 are missing"):
        launch_outreach(full.id, quote_id=full.quote_id, actor=ACTOR, now=now)  # type: ignore[arg-type]


def test_who_changed_since_the_quote_is_left_out_and_the_charge_only_falls(world: World, now: datetime) -> None:
    for phone in PHONES[:3]:
        world.add_contact(phone, first_name="Ada")
    outreach = world.campaign()
    with world.scope():
        Contact.objects.filter(phones__phone=PHONES[0]).update(first_name="Anna Maria Magdalena")
        opt_out(PHONES[1], source=OptOut.Source.STAFF, actor_label="x", now=now, medium="STAFF")
    world.launch(outreach)
    assert [message.phone for message in world.messages()] == [PHONES[2]]
    assert exclusions(world, outreach) == {PHONES[0]: "changed", PHONES[1]: "opted_out"}
    with world.scope():
        progress = outreach_progress(outreach.id)
    assert progress.audience == sum(progress.exclusions.values()) + progress.total


@pytest.mark.parametrize(
    ("body", "words"),
    [("  ", "empty"), ("Hi {{ nme }}", "tag"), ("x" * 590, "Shorten it by 10")],
)
def test_a_text_that_cannot_be_sent_is_refused_while_drafting(world: World, body: str, words: str) -> None:
    with pytest.raises(CampaignRefused, match=words):
        world.campaign(body=body)


def test_campaigns_switched_off_are_refused(world: World) -> None:
    with world.scope():
        world.organization.campaigns_enabled = False
        world.organization.save()
    with pytest.raises(CampaignRefused, match="switched off"):
        world.campaign()


def streams(world: World) -> list[Any]:
    with world.scope():
        return list(Stream.objects.order_by("id").values_list("state", flat=True))


def test_pause_and_resume_change_streams_alone(world: World, now: datetime) -> None:
    world.add_contact(PHONES[0])
    outreach = world.launch(world.campaign())
    with world.scope():
        pause_campaign(outreach.campaign_id, actor=ACTOR, now=now)
        pause_campaign(outreach.campaign_id, actor=ACTOR, now=now)
    assert streams(world) == ["PAUSED"]
    with world.scope():
        resume_campaign(outreach.campaign_id, actor=ACTOR, now=now)
    assert streams(world) == ["OPEN"]
    assert world.messages()[0].state == "QUEUED"


def test_cancelling_gives_back_what_was_not_sent(world: World, now: datetime) -> None:
    for phone in PHONES:
        world.add_contact(phone)
    outreach = world.launch(world.campaign())
    with world.scope():
        cancel_campaign(outreach.campaign_id, actor=ACTOR, now=now)
        with pytest.raises(NotPossibleNow):
            resume_campaign(outreach.campaign_id, actor=ACTOR, now=now)
    for _ in range(3):
        advance(now=now)
    assert {message.state for message in world.messages()} == {"CANCELED"}
    with world.scope():
        assert (current_account().held, current_account().balance) == (0, 10_000)
        assert outreach_progress(outreach.id).outcomes.keys() == {State.CANCELED}


def test_people_not_reached_by_the_end_are_expired(world: World, now: datetime) -> None:
    world.add_contact(PHONES[0])
    outreach = world.launch(world.campaign(ends_at=now + timedelta(hours=1)))
    advance(now=now + timedelta(minutes=59))
    assert world.messages()[0].state == "QUEUED"
    for _ in range(3):
        advance(now=now + timedelta(hours=1))
    assert world.messages()[0].state == "EXPIRED"
    assert world.fresh(outreach).close_reason == "ended"


def test_a_scheduled_outreach_starts_at_its_time_with_a_quote_of_that_time(world: World, now: datetime) -> None:
    world.add_contact(PHONES[0])
    outreach = world.campaign(starts_at=now + timedelta(hours=2))
    with world.scope():
        schedule_outreach(outreach.id, quote_id=outreach.quote_id, actor=ACTOR, now=now)  # type: ignore[arg-type]
    advance(now=now + timedelta(hours=1))
    assert world.fresh(outreach).state == "SCHEDULED"
    advance(now=now + timedelta(hours=2))
    started = world.fresh(outreach)
    assert started.state == "OPEN"
    assert started.quote_id != outreach.quote_id
    with world.scope():
        assert current_account().held == 1


def test_a_scheduled_outreach_that_costs_more_than_its_ceiling_does_not_start(world: World, now: datetime) -> None:
    world.add_contact(PHONES[0])
    outreach = world.campaign(starts_at=now + timedelta(hours=2))
    with world.scope():
        schedule_outreach(outreach.id, quote_id=outreach.quote_id, actor=ACTOR, now=now)  # type: ignore[arg-type]
    world.add_contact(PHONES[1])
    advance(now=now + timedelta(hours=2))
    assert world.fresh(outreach).state == "QUOTED"
    assert world.messages() == []


NIGHT = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)  # 22:00 in New York on a Thursday


def test_promotional_texts_wait_for_the_recipients_lawful_hour(db: None) -> None:
    world = build_world(NIGHT, level=Level.PROMOTIONAL)
    world.add_contact(PHONES[0], region="NY", postcode="10001")
    world.add_contact(PHONES[1], region="CA", postcode="90001")
    world.add_contact(PHONES[2], region="NY", postcode="10002")
    world.launch(world.campaign())
    with world.scope():
        hours = dict(Stream.objects.values_list("bucket", "open_from"))
        assert Message.objects.count() == 3
    assert hours == {
        "America/New_York|NY": datetime(2026, 11, 20, 13, 0, tzinfo=UTC),
        "America/Los_Angeles|CA": datetime(2026, 11, 19, 17, 0, tzinfo=UTC),
    }


def test_a_quote_says_who_waits_until_when_by_which_rule(db: None) -> None:
    world = build_world(NIGHT, level=Level.PROMOTIONAL)
    world.add_contact(PHONES[0], region="NY", postcode="10001")
    world.add_contact(PHONES[1], region="NY", postcode="10002")
    world.add_contact(PHONES[2], region="CA", postcode="90001")
    world.add_contact(PHONES[3], region="FL", postcode="33101")
    outreach = world.campaign()
    with world.scope():
        held = held_by_hours(outreach, now=NIGHT)
    assert (held.at_once, held.later, held.beyond, held.never) == (1, 3, 0, 0)
    assert [(one.people, one.words) for one in held.groups] == [
        (2, "New York: 8:00–21:00, rule US-1992-12 (47 CFR 64.1200(c)(1)); 8:00 by the clock of New York"),
        (
            1,
            "Florida: 8:00–20:00, rule FL-2021-07 (Fla. Stat. 501.616(6)(a); tables of referrizer, usestello); "
            "8:00 by the clock of New York",
        ),
    ]
    assert {one.opens for one in held.groups} == {held.last} == {datetime(2026, 11, 20, 13, 0, tzinfo=UTC)}


@pytest.mark.parametrize(
    ("hour", "hours", "off", "words"),
    [
        (14, daily(10, 16), "", "your sending hours; 10:00"),  # 9:00 in New York: lawful
        (12, daily(10, 16), "", "New York: 8:00–21:00, rule US-1992-12 (47 CFR 64.1200(c)(1)) and your sending hours"),
        (14, ALWAYS, "2026-11-19", "your days off; 8:00"),
        (14, daily(10, 16), "2026-12-25", "your sending hours; 10:00"),  # one to come holds nothing today
    ],
)
def test_a_quote_names_what_holds_and_nothing_else(db: None, hour: int, hours: Weekly, off: str, words: str) -> None:
    at = datetime(2026, 11, 19, hour, 0, tzinfo=UTC)
    world = build_world(at, level=Level.PROMOTIONAL)
    world.add_contact(PHONES[0], region="NY", postcode="10001")
    if off:
        day_off(world, off, at)
    outreach = world.campaign(hours=hours)
    with world.scope():
        (group,) = held_by_hours(outreach, now=at).groups
    assert group.words.startswith(words)


def test_a_quote_counts_also_those_whom_it_does_not_name(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("campaigns.queries.quotes.MOST_HELD", 1)
    world = build_world(NIGHT, level=Level.PROMOTIONAL)
    for phone, region, postcode in zip(PHONES, ("NY", "NY", "FL"), ("10001", "10002", "33101"), strict=False):
        world.add_contact(phone, region=region, postcode=postcode)
    outreach = world.campaign()
    with world.scope():
        held = held_by_hours(outreach, now=NIGHT)
    assert (held.at_once, held.later, len(held.groups), held.beyond) == (0, 3, 1, 1)


def test_a_bucket_whose_window_is_over_gets_the_next_one(db: None) -> None:
    world = build_world(NIGHT, level=Level.PROMOTIONAL)
    world.add_contact(PHONES[0], region="CA", postcode="90001")
    world.launch(world.campaign())
    advance(now=NIGHT + timedelta(hours=2))  # 21:00 in California
    with world.scope():
        stream = Stream.objects.get()
    assert stream.open_from == datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
    assert stream.open_until == datetime(2026, 11, 21, 5, 0, tzinfo=UTC)


def day_off(world: World, day: str, now: datetime) -> None:
    with world.scope():
        close_day(date.fromisoformat(day), name="Thanksgiving", actor=ACTOR, now=now)


def test_on_a_day_off_nothing_promotional_is_sent_where_that_day_is(db: None) -> None:
    world = build_world(NIGHT, level=Level.PROMOTIONAL)
    day_off(world, "2026-11-20", NIGHT)
    world.add_contact(PHONES[0], region="NY", postcode="10001")
    world.add_contact(PHONES[1], region="CA", postcode="90001")  # there it is still the day before
    outreach = world.launch(world.campaign())
    with world.scope():
        hours = dict(Stream.objects.values_list("bucket", "open_from"))
        starts = {phase.starts for phase in forecast_of(outreach, now=NIGHT)}
    assert hours == {
        "America/New_York|NY": datetime(2026, 11, 21, 13, 0, tzinfo=UTC),
        "America/Los_Angeles|CA": datetime(2026, 11, 19, 17, 0, tzinfo=UTC),
    }
    assert max(starts) == datetime(2026, 11, 21, 13, 0, tzinfo=UTC), "the quote says so as well"


def test_a_day_off_binds_no_informational_text(world: World, now: datetime) -> None:
    day_off(world, now.date().isoformat(), now)
    world.add_contact(PHONES[0])
    world.launch(world.campaign(hours=daily(8, 20)))
    with world.scope():
        opened = Stream.objects.get().open_from
    assert opened is not None
    assert opened < now


def test_a_day_off_stops_what_is_under_way_and_gives_it_back(db: None) -> None:
    world = build_world(NIGHT, level=Level.PROMOTIONAL)
    world.add_contact(PHONES[0], region="CA", postcode="90001")
    world.launch(world.campaign())

    def hours() -> tuple[datetime | None, datetime | None]:
        with world.scope():
            stream = Stream.objects.get()
        return stream.open_from, stream.open_until

    before = hours()
    day_off(world, "2026-11-19", NIGHT)
    assert hours()[0] == datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
    day_off(world, "2026-11-19", NIGHT)  # the second click
    with world.scope():
        found = BlackoutDate.objects.get()
        assert AuditEvent.objects.filter(action="organization.day_off_added").count() == 1
        open_day(found.id, actor=ACTOR, now=NIGHT)
    assert hours() == before


def test_outreaches_of_a_campaign_share_its_hourly_limit(world: World, now: datetime) -> None:
    for phone in PHONES[:2]:
        world.add_contact(phone)
    first = world.campaign()
    with world.scope():
        Campaign.objects.update(hourly_limit=60)
    world.launch(first)
    world.add_contact("+12567346999")
    with world.scope():
        second = add_outreach(Campaign.objects.get(), Audience(), actor=ACTOR, now=now)
    quote_outreach(organization_id=world.id, outreach_id=second.id, now=now)
    world.launch(world.fresh(second))
    with across_organizations(because="a dispatcher serves everybody"):
        due = [one for one in due_streams(range(256), cursors={}, now=now) if one.number_id == world.number.id]
    assert {(one.hourly_for, one.hourly_limit) for one in due} == {(f"campaign:{first.campaign_id}", 60)}
    assert len(due) == 2


def test_sending_hours_that_never_meet_the_law_leave_people_out(db: None) -> None:
    world = build_world(NIGHT, level=Level.PROMOTIONAL)
    world.add_contact(PHONES[0], region="AL", postcode="35055")
    outreach = world.campaign(hours=daily(20, 23))
    assert exclusions(world, outreach) == {PHONES[0]: "no_lawful_hour"}


def test_a_quote_of_something_under_way_is_refused(world: World, now: datetime) -> None:
    world.add_contact(PHONES[0])
    outreach = world.launch(world.campaign())
    with pytest.raises(Exception, match="under way"):
        quote_outreach(organization_id=world.id, outreach_id=outreach.id, now=now)


def scheduled(world: World, now: datetime) -> Outreach:
    outreach = world.campaign(starts_at=now + timedelta(hours=2))
    with world.scope():
        schedule_outreach(outreach.id, quote_id=outreach.quote_id, actor=ACTOR, now=now)  # type: ignore[arg-type]
    return outreach


def test_what_was_held_back_holds_no_credits_and_can_be_launched_at_the_new_price(world: World, now: datetime) -> None:
    world.add_contact(PHONES[0])
    outreach = scheduled(world, now)
    world.add_contact(PHONES[1])
    advance(now=now + timedelta(hours=2))
    with world.scope():
        assert current_account().held == 0
        assert Campaign.objects.get().state == "DRAFT"
    world.launch(world.fresh(outreach))
    with world.scope():
        assert current_account().held == 2
    assert len(world.messages()) == 2


def test_one_outreach_that_cannot_start_holds_up_no_other(world: World, now: datetime) -> None:
    world.add_contact(PHONES[0])
    bad, good = scheduled(world, now), scheduled(world, now)
    with world.scope():
        Campaign.objects.filter(id=bad.campaign_id).update(opt_out_word="HELP")
    advance(now=now + timedelta(hours=2))
    assert (world.fresh(bad).state, world.fresh(good).state) == ("QUOTED", "OPEN")


def test_a_word_that_means_help_is_refused_while_drafting(world: World) -> None:
    from campaigns.actions import create_campaign

    with world.scope(), pytest.raises(Exception, match="cannot be the word that stops"):
        create_campaign(
            name="x",
            program=world.program,
            number=world.number,
            body="Hello",
            opt_out_word="Help",
            actor=ACTOR,
            now=world.now,
        )


def test_a_quote_that_was_overtaken_by_a_launch_leaves_it_whole(
    world: World, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody launches while another one quotes anew: the launched quote keeps its recipients."""
    for phone in PHONES[:3]:
        world.add_contact(phone)
    world.add_contact(PHONES[3], consent=False)
    outreach = world.campaign()

    def launch_meanwhile(done: int) -> None:
        with world.scope():
            launch_outreach(outreach.id, quote_id=outreach.quote_id, actor=ACTOR, now=now)  # type: ignore[arg-type]

    with pytest.raises(Exception, match="Look at it again"):
        quote_outreach(organization_id=world.id, outreach_id=outreach.id, now=now, on_progress=launch_meanwhile)
    write_messages(organization_id=world.id, outreach_id=outreach.id, now=now)
    assert len(world.messages()) == 3
    assert exclusions(world, outreach) == {PHONES[3]: "no_consent"}


def test_an_outreach_that_starts_in_a_paused_campaign_waits_with_it(world: World, now: datetime) -> None:
    world.add_contact(PHONES[0])
    first = world.launch(world.campaign())
    world.add_contact(PHONES[1])
    with world.scope():
        pause_campaign(first.campaign_id, actor=ACTOR, now=now)
        from audiences.queries import Audience
        from campaigns.actions import add_outreach

        second = add_outreach(first.campaign, Audience(), actor=ACTOR, now=now)
    quote_outreach(organization_id=world.id, outreach_id=second.id, now=now)
    world.launch(world.fresh(second))
    assert set(streams(world)) == {"PAUSED"}
    with world.scope():
        resume_campaign(first.campaign_id, actor=ACTOR, now=now)
    assert set(streams(world)) == {"OPEN"}


def test_cancelled_before_everything_was_written_everybody_is_accounted_for(world: World, now: datetime) -> None:
    for phone in PHONES:
        world.add_contact(phone)
    outreach = world.campaign()
    with world.scope():
        launch_outreach(outreach.id, quote_id=outreach.quote_id, actor=ACTOR, now=now)  # type: ignore[arg-type]
        cancel_campaign(outreach.campaign_id, actor=ACTOR, now=now)
    write_messages(organization_id=world.id, outreach_id=outreach.id, now=now)
    advance(now=now)
    with world.scope():
        progress = outreach_progress(outreach.id)
        assert current_account().held == 0
    assert progress.exclusions == {"not_reached": 10}
    assert progress.audience == sum(progress.exclusions.values()) + progress.total
