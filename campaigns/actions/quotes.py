"""The quote: every text rendered and priced beforehand, and frozen."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID, uuid4

from audiences.actions import LeftOut, forget_exclusions, note_exclusions
from audiences.queries import Audience, candidates
from campaigns.actions.texts import writer_for
from campaigns.models import Outreach, QuoteChunk
from campaigns.rules.states import OutreachState
from common.errors import DomainError
from common.tenancy import organization_scope
from messaging.actions.queueing import Draft

CHUNK = 1000


class QuoteRefused(DomainError):
    code = "quote_refused"


def quote_outreach(
    *,
    organization_id: int,
    outreach_id: int,
    now: datetime,
    on_progress: Callable[[int], None] | None = None,
) -> UUID:
    """Quote an outreach anew; opens a scope for each thousand people. Returns the quote's id.

    The figures stand on the outreach once the quote is whole; one that was interrupted leaves nothing that counts.
    """
    quote_id = uuid4()
    with organization_scope(organization_id):
        outreach = _draft(outreach_id)
        if outreach.state not in (OutreachState.DRAFT, OutreachState.QUOTED, OutreachState.SCHEDULED):
            raise QuoteRefused("This outreach is under way already. Add a new one to reach more people.")
        audience = Audience(outreach.everyone, tuple(outreach.list_ids), outreach.phone_label)
        forget_exclusions(outreach_id)
        writer = writer_for(outreach, now=now)
    recipients = segments = credits = excluded = sequence = after_id = 0
    while True:
        with organization_scope(organization_id):
            page = candidates(
                audience,
                program_id=outreach.campaign.program_id,
                campaign_id=outreach.campaign_id,
                after_id=after_id,
                limit=CHUNK,
            )
            if not page:
                break
            after_id = page[-1].contact_id
            results = [writer.draft(candidate) for candidate in page]
            left_out = [result for result in results if isinstance(result, LeftOut)]
            drafts = [result[0] for result in results if not isinstance(result, LeftOut)]
            note_exclusions(outreach_id, left_out)
            _freeze(outreach, quote_id, sequence, drafts)
        sequence += 1
        recipients += len(drafts)
        segments += sum(draft.segments for draft in drafts)
        credits += sum(draft.credits for draft in drafts)
        excluded += len(left_out)
        if on_progress is not None:
            on_progress(recipients + excluded)
    with organization_scope(organization_id):
        locked = Outreach.objects.select_for_update(no_key=True).get(id=outreach_id)
        if locked.state == OutreachState.DRAFT:
            locked.state = OutreachState.QUOTED
        locked.quote_id, locked.quoted_at = quote_id, now
        locked.recipients, locked.segments, locked.credits = recipients, segments, credits
        locked.excluded = excluded
        locked.save()
        QuoteChunk.objects.filter(outreach_id=outreach_id).exclude(quote_id=quote_id).delete()
    return quote_id


def _draft(outreach_id: int) -> Outreach:
    found: Outreach = Outreach.objects.select_related("campaign", "campaign__program").get(id=outreach_id)
    return found


def _freeze(outreach: Outreach, quote_id: UUID, sequence: int, drafts: list[Draft]) -> None:
    if not drafts:
        return
    QuoteChunk.objects.create(
        organization_id=outreach.organization_id,
        outreach=outreach,
        quote_id=quote_id,
        sequence=sequence,
        contact_ids=[draft.contact_id for draft in drafts],
        phones=[draft.phone for draft in drafts],
        credits=[draft.credits for draft in drafts],
        segments=[draft.segments for draft in drafts],
        digests=[draft.digest for draft in drafts],
    )
