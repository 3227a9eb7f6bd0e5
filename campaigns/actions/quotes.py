"""The quote: every text rendered and priced beforehand, and frozen."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID, uuid4

from celery import current_app
from django.db import transaction

from audiences.actions import LeftOut, forget_exclusions, note_exclusions
from audiences.queries import Audience, candidates
from campaigns.actions.drafts import check_audience, check_ready
from campaigns.actions.texts import writer_for
from campaigns.models import Outreach, QuoteChunk
from campaigns.queries import is_live, newest_quote_job
from campaigns.rules.states import OutreachState
from common.clock import now as clock_now
from common.errors import DomainError
from common.tenancy import organization_scope
from content.actions import fail_job, finish_job, report_progress, start_job
from content.models import Job
from messaging.actions.queueing import Draft

CHUNK = 1000


class QuoteRefused(DomainError):
    code = "quote_refused"


class QuoteOvertaken(QuoteRefused):
    """Launched, changed, or quoted by somebody else meanwhile: that stands, and this quote is forgotten."""

    code = "quote_overtaken"


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
        _refuse_unless_open(outreach)
        check_ready(outreach.campaign)
        check_audience(outreach)
        audience = Audience(outreach.everyone, tuple(outreach.list_ids), outreach.phone_label)
        writer = writer_for(outreach, now=now)
    recipients = segments = credits = excluded = sequence = after_id = 0
    plan: dict[str, list[int]] = {}
    prices: dict[str, list[int]] = {}
    while True:
        with organization_scope(organization_id):
            page = candidates(
                audience,
                program_id=outreach.campaign.whole_program.id,
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
            note_exclusions(outreach_id, left_out, quote_id=quote_id)
            _freeze(outreach, quote_id, sequence, drafts)
        for draft, bucket in (result for result in results if not isinstance(result, LeftOut)):
            _add(plan, bucket, draft.segments)
            _add(prices, str(draft.segments), draft.credits)
        sequence += 1
        recipients += len(drafts)
        segments += sum(draft.segments for draft in drafts)
        credits += sum(draft.credits for draft in drafts)
        excluded += len(left_out)
        if on_progress is not None:
            on_progress(recipients + excluded)
    with organization_scope(organization_id):
        locked = Outreach.objects.select_for_update(no_key=True).get(id=outreach_id)
        # Launched, or quoted by somebody else, while this one was at work: that one stands, with its chunks.
        overtaken = locked.quote_id != outreach.quote_id or locked.state not in _QUOTABLE
        if not overtaken:
            locked.plan, locked.prices = plan, prices
            _put_in_force(locked, quote_id, recipients, segments, credits, excluded, now)
        chunks = QuoteChunk.objects.filter(outreach_id=outreach_id)
        (chunks.filter(quote_id=quote_id) if overtaken else chunks.exclude(quote_id=quote_id)).delete()
        forget_exclusions(outreach_id, quote_id=quote_id, others=not overtaken)
    if overtaken:
        raise QuoteOvertaken("Somebody else quoted or launched this at the same moment. Look at it again.")
    return quote_id


def request_quote(outreach: Outreach, *, now: datetime) -> Job:
    """Have a worker quote the outreach; the job tells how far it is. One that is being made already is the answer."""
    newest, saved_at = newest_quote_job(outreach.id), outreach.campaign.saved_at
    if newest is not None and is_live(newest, now=now) and (saved_at is None or saved_at <= newest.created_at):
        return newest
    job = start_job(kind=quote_job_kind(outreach.id), total=None, now=now)
    arguments = [outreach.organization_id, outreach.id, job.id]
    transaction.on_commit(lambda: current_app.send_task("campaigns.quote", arguments))
    return job


def run_quote(*, organization_id: int, outreach_id: int, job_id: int) -> None:
    """Quote, and report to the job; opens a scope for each thousand people."""

    def report(done: int) -> None:
        with organization_scope(organization_id):
            report_progress(job_id, done=done, now=clock_now())

    try:
        quote_outreach(organization_id=organization_id, outreach_id=outreach_id, now=clock_now(), on_progress=report)
    except DomainError as error:
        with organization_scope(organization_id):
            fail_job(job_id, message=str(error), now=clock_now())
    else:
        with organization_scope(organization_id):
            finish_job(job_id, now=clock_now())


def fail_quote(*, organization_id: int, job_id: int) -> None:
    """After an error that nobody foresaw: say so to the person who waits."""
    with organization_scope(organization_id):
        fail_job(job_id, message="Something went wrong while the price was made. Try it again.", now=clock_now())


def quote_job_kind(outreach_id: int) -> str:
    return f"quote:{outreach_id}"


def _add(sums: dict[str, list[int]], key: str, amount: int) -> None:
    """One person more under a key, with an amount."""
    people = sums.setdefault(key, [0, 0])
    people[0] += 1
    people[1] += amount


_QUOTABLE = (OutreachState.DRAFT, OutreachState.QUOTED, OutreachState.SCHEDULED)


def _refuse_unless_open(outreach: Outreach) -> None:
    if outreach.state not in _QUOTABLE:
        raise QuoteRefused("This outreach is under way already. Add a new one to reach more people.")


def _put_in_force(
    outreach: Outreach, quote_id: UUID, recipients: int, segments: int, credits: int, excluded: int, now: datetime
) -> None:
    if outreach.state == OutreachState.DRAFT:
        outreach.state = OutreachState.QUOTED
    outreach.quote_id, outreach.quoted_at = quote_id, now
    outreach.recipients, outreach.segments, outreach.credits = recipients, segments, credits
    outreach.excluded = excluded
    outreach.save()


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
