"""Sending hours of a campaign, and the windows they leave to people of a bucket."""

from collections.abc import Sequence
from datetime import datetime

from consent.rules.lawful_hours import Weekly
from consent.rules.places import hours_of
from consent.rules.windows import Window, next_window

ANY_HOUR = "*"
"""The bucket of recipients whom no hours bind."""


def weekly_of(sending_hours: Sequence[Sequence[int] | None]) -> Weekly:
    """The hours as a campaign stores them (seven rows, Monday first), as the rules read them."""
    return tuple((row[0], row[1]) if row else None for row in sending_hours)


def window_of(bucket: str, *, sending: Weekly, promotional: bool, home_zone: str, now: datetime) -> Window | None:
    """The next window of a bucket: sending hours, and lawful ones where the texts are promotional."""
    return next_window(now, hours_of(bucket, sending=sending, promotional=promotional, home_zone=home_zone))
