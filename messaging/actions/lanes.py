"""Leases of lanes: which dispatcher serves which sender numbers. All times are the database's own.

Two holders of one lane would be slow, never wrong: slots are reserved in Valkey and messages claimed in PostgreSQL.
"""

from uuid import UUID

from common.sql import fetch_all, run


def renew_lanes(holder: UUID, *, lease_seconds: float) -> list[int]:
    """Renew this dispatcher's leases, give up what is above its share, take what is free; return its lanes.

    A share is the number of lanes with a sender number divided by the living dispatchers, rounded up.
    """
    values = {"holder": holder, "lease": lease_seconds}
    run(_SEEN, values)
    ((share,),) = fetch_all(_SHARE, values)
    run(_GIVE_UP, values | {"share": share})
    return sorted(lane for (lane,) in fetch_all(_TAKE, values | {"share": share}))


def release_lanes(holder: UUID) -> None:
    """Leave in order: others take the lanes at once."""
    run("UPDATE messaging_lane SET holder = NULL, expires_at = NULL WHERE holder = %s", [holder])
    run("DELETE FROM messaging_dispatcher WHERE holder = %s", [holder])


_SEEN = """
INSERT INTO messaging_dispatcher (holder, seen_at) VALUES (%(holder)s, clock_timestamp())
ON CONFLICT (holder) DO UPDATE SET seen_at = excluded.seen_at
"""

_SHARE = """
WITH gone AS (
    DELETE FROM messaging_dispatcher WHERE seen_at < clock_timestamp() - interval '1 hour'
), living AS (
    SELECT count(*) AS n FROM messaging_dispatcher
    WHERE seen_at > clock_timestamp() - make_interval(secs => %(lease)s) OR holder = %(holder)s
), used AS (
    SELECT count(DISTINCT lane) AS n FROM senders_sendernumber
)
SELECT ceil(used.n::numeric / greatest(living.n, 1))::int FROM living, used
"""

_GIVE_UP = """
UPDATE messaging_lane SET holder = NULL, expires_at = NULL
WHERE lane IN (SELECT lane FROM messaging_lane WHERE holder = %(holder)s ORDER BY lane OFFSET %(share)s)
"""

_TAKE = """
WITH free AS (
    SELECT l.lane FROM messaging_lane l
    WHERE (l.holder = %(holder)s OR l.holder IS NULL OR l.expires_at < clock_timestamp())
        AND EXISTS (SELECT 1 FROM senders_sendernumber n WHERE n.lane = l.lane)
    ORDER BY l.holder = %(holder)s DESC NULLS LAST, l.lane LIMIT %(share)s FOR UPDATE SKIP LOCKED
)
UPDATE messaging_lane l SET
    fence = l.fence + CASE WHEN l.holder = %(holder)s THEN 0 ELSE 1 END,
    holder = %(holder)s,
    expires_at = clock_timestamp() + make_interval(secs => %(lease)s)
FROM free WHERE l.lane = free.lane
RETURNING l.lane
"""
