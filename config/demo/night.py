"""The night walk: a promotional campaign launched at 22:00 in New York, watched hour by hour until 15:00.

Real processes live in that night by the clock's offset. What each hour must hand over is computed from the table of
lawful hours alone, person by person, apart from the code that plans the windows.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from django.conf import settings
from rich.progress import Progress

from campaigns.models import Outreach
from campaigns.queries import outreach_progress
from common.clock import now
from common.tenancy import organization_scope
from config.demo.seed import Tenant
from config.demo.walk import DemoFailed, start_campaign, wait_for
from config.stack import Stack
from consent.rules.lawful_hours import rule_for
from consent.rules.places import Place, place_of
from contacts.models import ContactPhone

NEW_YORK = ZoneInfo("America/New_York")
BEGINS, ENDS = 22, 15
QUIET_SECONDS = 1.0
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of the walk: who must have been texted by then, and who was."""

    at: datetime
    expected: int
    handed_over: int


class NightClock:
    """The offset in a file, which every process reads (settings.CLOCK_OFFSET)."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.setting = f"@{self._file}"

    def set(self, moment: datetime) -> None:
        """Make it that instant now, for every process."""
        real = datetime.now(tz=UTC)  # of one zone with the moment, Python would subtract the wall clocks
        self._file.write_text(str((moment - real).total_seconds()))


def next_night() -> datetime:
    """22:00 in New York on the coming Thursday: no weekend rule applies until the walk is over."""
    today = datetime.now(tz=NEW_YORK).replace(hour=BEGINS, minute=0, second=0, microsecond=0)
    return today + timedelta(days=(3 - today.weekday()) % 7)


def walk_through_the_night(tenant: Tenant, stack: Stack, clock: NightClock, bars: Progress) -> Iterator[Hour]:
    """Launch at the clock's present hour and yield every hour until 15:00. Raises DemoFailed where an hour is wrong."""
    begins = now().astimezone(NEW_YORK).replace(second=0, microsecond=0, minute=0)
    places = _places(tenant)
    outreach = start_campaign(tenant, bars, body="Hello {{ first_name|neighbor }}, everything is half price today.")
    bar = bars.add_task("Hour by hour", total=outreach.recipients)
    texted: set[str] = set()
    for step in range((ENDS - BEGINS) % 24 + 1):
        at = begins + step * HOUR
        if step:
            clock.set(at)
        texted |= {phone for phone, place in places.items() if is_open(place, at)}
        handed_over = _handed_over(tenant, outreach, len(texted), stack)
        bars.update(bar, completed=handed_over)
        if handed_over != len(texted):
            raise DemoFailed(f"at {at:%H:%M} in New York {handed_over} were texted, the rules say {len(texted)}")
        yield Hour(at, len(texted), handed_over)


def is_open(place: Place, at: datetime) -> bool:
    """Whether the table of lawful hours allows a text at that instant, everywhere the person may be."""
    for zone in place.zones:
        local = at.astimezone(ZoneInfo(zone))
        minute = local.hour * 60 + local.minute
        for state in place.states or ("",):
            row = rule_for(state).weekly[local.weekday()]
            if row is None or not row[0] <= minute < row[1]:
                return False
    return bool(place.zones)


def _places(tenant: Tenant) -> dict[str, Place]:
    with organization_scope(tenant.organization.id):
        phones = ContactPhone.objects.select_related("contact").order_by("id")
        return {
            row.phone: place_of(
                zone=row.contact.time_zone,
                region=row.contact.region,
                postcode=row.contact.postcode,
                country=row.contact.country or "US",
                phone=row.phone,
            )
            for row in phones
        }


def _handed_over(tenant: Tenant, outreach: Outreach, expected: int, stack: Stack) -> int:
    """Wait for the hour's texts, and a moment longer for any that must not come."""

    def count() -> int:
        with organization_scope(tenant.organization.id):
            return outreach_progress(outreach.id).handed_over

    wait_for(lambda: count() >= expected or None, stack, what=f"the hour's {expected} texts", seconds=30)
    time.sleep(QUIET_SECONDS)
    return count()


def use_clock(clock: NightClock, moment: datetime) -> None:
    """Move this process and every one it starts into that night."""
    clock.set(moment)
    settings.CLOCK_OFFSET = clock.setting
