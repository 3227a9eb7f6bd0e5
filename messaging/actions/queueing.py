"""Writing messages into streams."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import IntegrityError, transaction

from common.sql import array_literal, fetch_all, run
from content.rules.segments import measure
from messaging.actions.streams import open_stream
from messaging.models import Stream
from messaging.rules.digests import digest_of
from messaging.rules.kinds import TextKind
from senders.models import SenderNumber


class Draft(NamedTuple):
    """A rendered, measured text for one phone; `credits` 0 where nobody pays."""

    phone: str
    body: str
    encoding: str
    segments: int
    credits: int
    digest: int
    contact_id: int | None = None
    reply_key: str | None = None


def queue_messages(
    stream: Stream,
    drafts: Sequence[Draft],
    *,
    carrier_account_id: int,
    now: datetime,
    campaign_id: int | None = None,
    template_version_id: int | None = None,
) -> set[str]:
    """Write messages QUEUED; return the phones written.

    A phone that the campaign has already, or a reply that its inbound text has already, is passed over: writing the
    same drafts again after a crash adds nothing.
    """
    if not drafts:
        return set()
    values = {
        "organization": stream.organization_id,
        "stream": stream.id,
        "number": stream.sender_number_id,
        "account": carrier_account_id,
        "campaign": campaign_id,
        "template": template_version_id,
        "reservation": stream.reservation_id,
        "now": now,
        # Literals of arrays, but for words: adapting lists value by value took a sixth of a launch.
        "phones": array_literal(draft.phone for draft in drafts),
        "bodies": [draft.body for draft in drafts],
        "encodings": array_literal(draft.encoding for draft in drafts),
        "segments": array_literal(draft.segments for draft in drafts),
        "credits": array_literal(draft.credits for draft in drafts),
        "digests": array_literal(draft.digest for draft in drafts),
        "contacts": array_literal("NULL" if draft.contact_id is None else draft.contact_id for draft in drafts),
        "reply_keys": [draft.reply_key for draft in drafts] if any(draft.reply_key for draft in drafts) else [],
    }
    try:
        with transaction.atomic():  # nearly always nobody has one of them: then this is the cheaper statement
            run(_QUEUE.format(conflict=""), values)
            return {draft.phone for draft in drafts}
    except IntegrityError:
        written = fetch_all(_QUEUE.format(conflict="ON CONFLICT DO NOTHING"), values)
        return {phone for (phone,) in written}


def queue_compliance_reply(number: SenderNumber, *, phone: str, body: str, reply_key: str, now: datetime) -> None:
    """Queue an answer to STOP, START or HELP: before everything else on the number, and free."""
    stream = open_stream(number=number, kind=TextKind.COMPLIANCE, source=f"number:{number.id}", now=now)
    measured = measure(body)
    draft = Draft(phone, body, measured.encoding, measured.segments, 0, digest_of(body), reply_key=reply_key)
    queue_messages(stream, [draft], carrier_account_id=number.carrier_account_id, now=now)


_QUEUE = """
WITH written AS (
    INSERT INTO messaging_message
        (organization_id, stream_id, sender_number_id, carrier_account_id, campaign_id, reservation_id, contact_id,
         template_version_id, reply_key, phone, body, encoding, segments, credits, digest, state, reason, captured,
         created_at)
    SELECT %(organization)s, %(stream)s, %(number)s, %(account)s, %(campaign)s, %(reservation)s, d.contact_id,
           %(template)s, d.reply_key, d.phone, d.body, d.encoding, d.segments, d.credits, d.digest, 'QUEUED', '',
           false, %(now)s
    FROM unnest(%(phones)s::text[], %(bodies)s::text[], %(encodings)s::text[], %(segments)s::int[],
                %(credits)s::int[], %(digests)s::bigint[], %(contacts)s::bigint[], %(reply_keys)s::text[])
        AS d(phone, body, encoding, segments, credits, digest, contact_id, reply_key)
    {conflict}
    RETURNING phone, segments, credits
), counted AS (
    INSERT INTO messaging_outcomedelta (organization_id, stream_id, state, messages, segments, credits)
    SELECT %(organization)s, %(stream)s, 'QUEUED', count(*), sum(segments), sum(credits)
    FROM written HAVING count(*) > 0
)
SELECT phone FROM written
"""
