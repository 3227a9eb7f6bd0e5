"""When a quote will be sent."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from campaigns.rules.forecast import Bucket, NextWindow, Phase, by_slot, forecast

START = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)


def daily(length: float) -> NextWindow:
    """The same hours each day, begun with START."""

    def following(moment: datetime) -> tuple[datetime, datetime]:
        opens = START + timedelta(days=(moment - START) // timedelta(days=1) + 1)
        return opens, opens + timedelta(hours=length)

    return following


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def test_one_bucket_takes_its_segments_at_the_numbers_speed() -> None:
    assert forecast([Bucket(START, None, 1200, 3600)], rate=1.0, starts=START) == [Phase(START, at(1), 1200)]


def test_later_zones_follow_and_a_gap_parts_the_phases() -> None:
    east = Bucket(START, at(8), 300, 300)
    west = Bucket(at(3), at(11), 118, 118)
    phases = forecast([west, east], rate=1.0, starts=START)
    assert [(phase.starts, phase.people) for phase in phases] == [(START, 300), (at(3), 118)]


def test_what_a_window_does_not_hold_goes_on_the_next_day() -> None:
    phases = forecast([Bucket(START, at(1), 7200, 7200, daily(1))], rate=1.0, starts=START)
    assert phases == [Phase(START, at(1), 3600), Phase(at(24), at(25), 3600)]


def test_nobody_needs_no_time() -> None:
    assert forecast([], rate=3.0, starts=START) == []
    assert by_slot([], starts=START, slots=24) == ([], timedelta(0))


def test_closed_days_are_passed_over() -> None:
    def mondays(moment: datetime) -> tuple[datetime, datetime]:
        week = timedelta(days=7)
        opens = START + week * ((moment - START) // week + 1)
        return opens, opens + timedelta(hours=1)

    phases = forecast([Bucket(START, at(1), 7200, 7200, mondays)], rate=1.0, starts=START)
    assert [phase.starts for phase in phases] == [START, at(24 * 7)]


def test_without_another_window_the_rest_is_counted_in_the_last() -> None:
    phases = forecast([Bucket(START, at(1), 7200, 7200, lambda moment: None)], rate=1.0, starts=START)
    assert sum(phase.people for phase in phases) == 7200


BUCKETS = st.lists(
    st.builds(
        lambda opens, length, people, each: Bucket(at(opens), at(opens + length), people, people * each, daily(length)),
        st.floats(0, 24),
        st.floats(1, 12),
        st.integers(0, 5000),
        st.integers(1, 4),
    ),
    max_size=6,
)


@given(BUCKETS, st.floats(0.5, 500))
def test_everybody_is_in_one_phase_and_phases_follow_each_other(buckets: list[Bucket], rate: float) -> None:
    phases = forecast(buckets, rate=rate, starts=START)
    assert sum(phase.people for phase in phases) == sum(bucket.people for bucket in buckets)
    for former, later in pairwise(phases):
        assert former.ends < later.starts
    bars, _ = by_slot(phases, starts=START, slots=24)
    assert abs(sum(bars) - sum(phase.people for phase in phases)) <= 12  # each bar is rounded
