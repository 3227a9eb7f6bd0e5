"""What a running campaign shows: speed, what went wrong, each recipient."""

from datetime import datetime, timedelta

import pytest

from campaigns.queries import campaign_rows, deliverability, outreach_progress, recipient_rows, trouble_lines
from common.tenancy import across_organizations
from messaging.actions.counters import squash_counters
from messaging.models import Message, OutcomeDelta, SpeedSample, Stream
from messaging.queries import speed_of
from messaging.rules.states import State
from tests.world import World

SOURCE = "test:1"


@pytest.fixture
def stream(world: World, now: datetime) -> Stream:
    with world.scope():
        return Stream.objects.create(
            organization=world.organization,
            sender_number_id=world.number.id,
            kind="CAMPAIGN",
            priority=5,
            source=SOURCE,
            created_at=now,
        )


def handed_over(world: World, stream: Stream, segments: int, at: datetime) -> None:
    with world.scope():
        for state, sign in ((State.CLAIMED, -1), (State.ACCEPTED, 1)):
            OutcomeDelta.objects.create(
                organization=world.organization,
                stream_id=stream.id,
                state=state,
                messages=sign,
                segments=sign * segments,
                credits=0,
            )
    with across_organizations(because="the clock squashes for everybody"):
        squash_counters(now=at)


def test_speed_is_what_was_handed_over_between_two_looks(world: World, stream: Stream, now: datetime) -> None:
    for tick in range(1, 6):
        handed_over(world, stream, 200, now + timedelta(seconds=2 * tick))
    with world.scope():
        assert [
            point.segments_per_second for point in speed_of([SOURCE], rate=100.0, now=now + timedelta(seconds=11))
        ] == [100.0] * 5


def test_a_receipt_is_no_speed(world: World, stream: Stream, now: datetime) -> None:
    with world.scope():
        for state, sign in ((State.ACCEPTED, -1), (State.DELIVERED, 1)):
            OutcomeDelta.objects.create(
                organization=world.organization,
                stream_id=stream.id,
                state=state,
                messages=sign,
                segments=sign,
                credits=0,
            )
    with across_organizations(because="the clock squashes for everybody"):
        squash_counters(now=now)
    with world.scope():
        assert not SpeedSample.objects.exists()


def test_a_pause_shows_as_zero_and_a_long_text_is_no_burst(world: World, stream: Stream, now: datetime) -> None:
    for tick, segments in ((1, 6), (2, 3), (3, 9), (4, 6), (40, 6)):
        handed_over(world, stream, segments, now + timedelta(seconds=2 * tick))
    with world.scope():
        points = speed_of([SOURCE], rate=3.0, now=now + timedelta(hours=1))
    assert all(point.segments_per_second <= 3.0 for point in points)
    assert points[4].segments_per_second == 0.0
    assert points[-1].segments_per_second == 0.0  # nothing has moved for an hour
    assert len(points) == 7


def test_what_went_wrong_is_told_with_what_to_do(world: World) -> None:
    for index in range(6):
        world.add_contact(f"+1256734604{index}", first_name="A")
    outreach = world.launch(world.campaign())
    ends = [("DELIVERED", None, ""), ("UNDELIVERED", 30005, ""), ("UNDELIVERED", 30005, ""), ("FAILED", 21635, "")]
    ends += [("SKIPPED", None, "duplicate"), ("UNCONFIRMED", None, "")]
    with world.scope():
        for message, (state, code, reason) in zip(Message.objects.order_by("id"), ends, strict=True):
            Message.objects.filter(id=message.id).update(
                state=state, error_code=code, reason=reason, captured=state in ("DELIVERED", "UNDELIVERED")
            )
        lines = {line.words: line for line in trouble_lines(outreach.campaign_id)}
        gone = lines["Number no longer in service"]
        assert (gone.people, gone.code) == (2, 30005)
        assert gone.advice.endswith("Charged: the carrier had accepted it.")
        assert lines["Landline"].advice.endswith("Not charged.")
        assert "Got the same text a short while ago" in lines
        assert "Not confirmed by the carrier" in lines
        assert len(lines) == 4


def test_recipients_are_filtered_and_paged_by_phone(world: World) -> None:
    for index in range(60):
        world.add_contact(f"+12567346{index:03}", first_name=f"N{index}")
    outreach = world.launch(world.campaign())
    with world.scope():
        progress = outreach_progress(outreach.id)
        first, after = recipient_rows(outreach.campaign_id, progress=progress, show="all", error_code=None, after="")
        rest, end = recipient_rows(outreach.campaign_id, progress=progress, show="all", error_code=None, after=after)
        assert (len(first), len(rest), end) == (50, 10, "")
        assert len({row.recipient.phone for row in [*first, *rest]}) == 60
        assert first[0].words == "waits to be sent"
        waiting, _ = recipient_rows(
            outreach.campaign_id, progress=progress, show="waiting", error_code=None, after=after
        )
        assert [row.recipient.phone for row in waiting] == [row.recipient.phone for row in rest]
        assert recipient_rows(outreach.campaign_id, progress=progress, show="failed", error_code=None, after="") == (
            [],
            "",
        )


def test_campaigns_of_a_state_and_before_an_id(world: World) -> None:
    world.add_contact("+12567346043", first_name="A")
    first, second = world.campaign(), world.campaign()
    world.launch(second)
    with world.scope():
        assert [row.campaign.id for row in campaign_rows(state="SENDING")] == [second.campaign_id]
        assert [row.campaign.id for row in campaign_rows(before_id=second.campaign_id)] == [first.campaign_id]
        assert deliverability().answered == 0
