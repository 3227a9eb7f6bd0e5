"""When a text may go: sending hours and lawful hours of one recipient, as intervals of UTC instants."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce
from zoneinfo import ZoneInfo

from consent.rules.lawful_hours import Weekly

Window = tuple[datetime, datetime]
"""Half-open: from the first instant to the one after the last, UTC."""

HORIZON_DAYS = 9  # a week, and a day on either side for the zones


def next_window(
    now: datetime, hours: Iterable[tuple[str, Weekly]], *, blackout: frozenset[str] = frozenset()
) -> Window | None:
    """The first window that is open now or later, in which every pair of (IANA zone, weekly hours) is open.

    `blackout` are ISO dates, read in each zone. None: there is no such window within nine days, and a week more for
    each date of the blackout, since a day that comes once a week may be one of them each time.
    """
    rows = sorted(set(hours))
    for days in (HORIZON_DAYS, HORIZON_DAYS + 7 * len(blackout)):  # mostly the first tells
        each = [_windows(now, ZoneInfo(zone), weekly, blackout, days) for zone, weekly in rows]
        for window in reduce(_intersect, each):
            if window[1] > now:
                return window
        if not blackout:
            break
    return None


def _windows(now: datetime, zone: ZoneInfo, weekly: Weekly, blackout: frozenset[str], days: int) -> list[Window]:
    today = now.astimezone(zone).date()
    windows: list[Window] = []
    for offset in range(-1, days):
        day = today + timedelta(days=offset)
        row = weekly[day.weekday()]
        if row is None or day.isoformat() in blackout:
            continue
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
        # Of an hour that comes twice, or not at all (clocks turned), opening is the later reading, closing the earlier.
        opens = max(_readings(midnight + timedelta(minutes=row[0])))
        closes = min(_readings(midnight + timedelta(minutes=row[1])))
        if windows and windows[-1][1] >= opens:
            windows[-1] = (windows[-1][0], closes)
        elif closes > opens:
            windows.append((opens, closes))
    return windows


def _readings(local: datetime) -> tuple[datetime, datetime]:
    return local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)


def _intersect(left: Sequence[Window], right: Sequence[Window]) -> list[Window]:
    both = []
    i = j = 0
    while i < len(left) and j < len(right):
        opens, closes = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if opens < closes:
            both.append((opens, closes))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return both
