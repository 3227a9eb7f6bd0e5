"""When so many texts of a source are filtered or refused as unregistered that going on only makes it worse."""

from datetime import datetime, timedelta

SPAN = timedelta(minutes=10)
"""Answers are counted in spans of the clock; what is resumed begins with none."""

LEAST = 20
"""Refusals in a span below which nobody is stopped."""

ONE_IN = 5
"""Of the answers in a span so many must be such refusals."""


def span_of(at: datetime) -> datetime:
    """The beginning of the span that an instant lies in."""
    return at - timedelta(seconds=at.timestamp() % SPAN.total_seconds())
