"""What waits, and who serves: read from the database at the moment at which somebody asks."""

from collections.abc import Sequence
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily, Metric

from common.sql import fetch_all
from messaging.models import DispatchGuard
from messaging.queries.dispatch import outages


def gauges(*, now: datetime) -> list[Metric]:
    """The gauges of the platform, ages in seconds. Runs across organizations; numbers are named by their id alone."""
    return [
        _gauge(
            "carillon_queue_age_seconds",
            "Age of the oldest due message by sender number",
            fetch_all(_QUEUE_AGE, {"now": now}),
            ("number",),
        ),
        _gauge("carillon_lanes_held", "Lanes that a dispatcher serves", fetch_all(_LANES)),
        _gauge("carillon_dispatchers", "Dispatchers that serve lanes", fetch_all(_DISPATCHERS)),
        _gauge("carillon_lanes_free", "Lanes with a number that nobody serves", fetch_all(_LANES_FREE)),
        _gauge("carillon_receipts_lag_seconds", "Age of the oldest receipt not applied", _lag("carrierevent", now)),
        _gauge("carillon_inbound_lag_seconds", "Age of the oldest answer not applied", _lag("carrierinbound", now)),
        _gauge(
            "carillon_messages_in_doubt",
            "Written to the carrier, and not known to be taken",
            fetch_all(_IN_DOUBT),
        ),
        _gauge("carillon_carriers_away", "Carrier accounts that take nothing", [(len(outages(now=now)),)]),
        _gauge(
            "carillon_dispatch_locked",
            "1 after a restore, until after_restore has run",
            [(int(DispatchGuard.objects.exclude(locked_for="").exists()),)],
        ),
    ]


def _gauge(name: str, meaning: str, rows: Sequence[tuple[object, ...]], labels: Sequence[str] = ()) -> Metric:
    """One gauge; the last column of each row is its value."""
    family = GaugeMetricFamily(name, meaning, labels=labels)
    for *own, value in rows:
        family.add_metric([str(label) for label in own], float(str(value)))
    return family


def _lag(table: str, now: datetime) -> Sequence[tuple[object, ...]]:
    """In the order of arrival the first row is the oldest; the primary key finds it."""
    statement = f"""SELECT COALESCE(
        (SELECT extract(epoch FROM %(now)s - received_at) FROM messaging_{table} ORDER BY id LIMIT 1), 0)"""
    return fetch_all(statement, {"now": now})


_QUEUE_AGE = """
SELECT s.sender_number_id, max(extract(epoch FROM %(now)s - GREATEST(oldest.created_at, s.open_from)))
FROM messaging_stream s
CROSS JOIN LATERAL (
    SELECT m.created_at FROM messaging_message m
    WHERE m.stream_id = s.id AND m.state = 'QUEUED' ORDER BY m.id LIMIT 1) oldest
WHERE s.state = 'OPEN'
    AND (s.open_from IS NULL OR s.open_from <= %(now)s)
    AND (s.open_until IS NULL OR s.open_until > %(now)s)
    AND (s.ends_at IS NULL OR s.ends_at > %(now)s)
GROUP BY s.sender_number_id
"""

# The leases are kept by the database's clock.
_LANES = "SELECT count(*) FROM messaging_lane WHERE holder IS NOT NULL AND expires_at > clock_timestamp()"

_DISPATCHERS = "SELECT count(DISTINCT holder) FROM messaging_lane WHERE expires_at > clock_timestamp()"

_LANES_FREE = """
SELECT count(*) FROM messaging_lane l
WHERE (l.holder IS NULL OR l.expires_at <= clock_timestamp())
    AND EXISTS (SELECT 1 FROM senders_sendernumber n WHERE n.lane = l.lane)
"""

_IN_DOUBT = "SELECT count(*) FROM messaging_message WHERE state = 'UNKNOWN'"
