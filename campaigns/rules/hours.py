"""Sending hours of a campaign, and the windows they leave to people of a bucket."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from consent.rules.lawful_hours import ALWAYS, Weekly
from consent.rules.places import hours_of
from consent.rules.windows import Window, next_window

ANY_HOUR = "*"
"""The bucket of recipients whom no hours bind."""


def weekly_of(sending_hours: Sequence[Sequence[int] | None]) -> Weekly:
    """The hours as a campaign stores them (seven rows, Monday first), as the rules read them."""
    return tuple((row[0], row[1]) if row else None for row in sending_hours)


@dataclass(frozen=True, slots=True)
class Calendar:
    """When the texts of a campaign may go: its sending hours; where it is promotional, lawful hours and no day off.

    `home_zone` (IANA) is the organization's, `days_off` are ISO dates in the recipient's own zone.
    """

    sending: Weekly
    promotional: bool
    home_zone: str
    days_off: frozenset[str] = frozenset()

    @property
    def any_hour(self) -> bool:
        """Whether nobody has to wait for an hour."""
        return self.sending == ALWAYS and not self.promotional

    def window(self, bucket: str, now: datetime) -> Window | None:
        """The window of a bucket that is open now, or the next one. None: there is none. Not for ANY_HOUR."""
        hours = hours_of(bucket, sending=self.sending, promotional=self.promotional, home_zone=self.home_zone)
        return next_window(now, hours, blackout=self.days_off if self.promotional else frozenset())
