"""One text to one person, outside of campaigns."""

from collections.abc import Sequence
from datetime import datetime

from billing.actions import hold_more
from billing.queries import current_basis
from billing.rules.pricing import credits_for
from common.actor import Actor
from content.rules.segments import measure
from messaging.actions.queueing import Draft, queue_messages
from messaging.actions.streams import Hours, open_stream
from messaging.models import Stream
from messaging.rules.digests import digest_of
from messaging.rules.kinds import TextKind
from senders.models import SenderNumber


def queue_single(
    number: SenderNumber,
    phone: str,
    *,
    body: str,
    kind: TextKind,
    source: str,
    reply_key: str,
    actor: Actor,
    now: datetime,
    media_ids: Sequence[int] = (),
    template_version_id: int | None = None,
    program_id: int | None = None,
    bucket: str = "",
    hours: Hours = Hours(),
) -> tuple[Stream, int]:
    """One text outside of campaigns, paid from the standing reservation of its source; with its segments.

    Raises NotEnoughCredits.
    """
    measured = measure(body)
    segments = 1 if media_ids else measured.segments
    credits = credits_for(current_basis(), segments=segments, media=bool(media_ids))
    reservation = hold_more(credits=credits, reference=source, actor=actor, now=now)
    stream = open_stream(
        number=number,
        kind=kind,
        source=source,
        reservation_id=reservation.id,
        media_ids=media_ids,
        program_id=program_id,
        bucket=bucket,
        hours=hours,
        now=now,
    )
    draft = Draft(phone, body, measured.encoding, segments, credits, digest_of(body), reply_key=reply_key)
    queue_messages(
        stream,
        [draft],
        carrier_account_id=number.carrier_account_id,
        template_version_id=template_version_id,
        now=now,
    )
    return stream, segments
