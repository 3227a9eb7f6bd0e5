"""The quote: every text rendered and priced beforehand, and frozen."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID, uuid4

from celery import current_app
from django.db import transaction

from audiences.actions import LeftOut, forget_exclusions, note_exclusions
from audiences.queries import Pages, audience_size, source_of
from billing.rules.pricing import Basis
from campaigns.actions.drafts import check_audience, check_ready
from campaigns.actions.texts import Writer, Written, look_of, writer_for
from campaigns.models import Outreach, QuoteChunk
from campaigns.queries import CROWDED, newest_quote_job, promotional_campaigns_since, start_of_month, texted_by_several
from campaigns.rules.states import UNCONFIRMED, OutreachState
from common.clock import now as clock_now
from common.errors import DomainError
from common.sql import array_literal, run
from common.tenancy import organization_scope
from content.actions import fail_job, finish_job, report_progress, start_job
from content.models import Job
from content.queries import is_live

PAGE = 5_000
"""People that are read, written and priced at a time."""

CHUNK = 1_000
"""Recipients of a row of the frozen quote: what the launch writes at a time."""


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
    """Quote an outreach anew; opens a scope for each page of people. Returns the quote's id.

    The figures stand on the outreach once the quote is whole; one that was interrupted leaves nothing that counts.
    """
    quote_id = uuid4()
    with organization_scope(organization_id):
        outreach = _draft(outreach_id)
        _refuse_unless_open(outreach)
        check_ready(outreach.campaign)
        check_audience(outreach)
        writer = writer_for(outreach, now=now)
        look, source = look_of(outreach, writer, now=now), source_of(outreach.audience, now=now)
        others = promotional_campaigns_since(start_of_month(now)) if writer.promotional else []
    sums = _Sums()
    limit = CHUNK  # small pages first: nothing is worked on while the first is read
    with Pages(look, source) as pages:
        with organization_scope(organization_id):
            page = pages.ask(after_id=0, limit=limit)()
        while page:
            with organization_scope(organization_id):
                larger = min(limit * 2, PAGE)
                following = pages.ask(after_id=page[-1].contact_id, limit=larger) if len(page) == limit else None
                results = [writer.write(candidate) for candidate in page]
                texts = [result for result in results if isinstance(result, Written)]
                left_out = [result for result in results if isinstance(result, LeftOut)]
                _freeze(outreach, quote_id, sums.chunks, texts)
                note_exclusions(outreach_id, left_out, quote_id=quote_id)
                if len(others) >= CROWDED:
                    sums.crowded += texted_by_several([text.draft.phone for text in texts], others, at_least=CROWDED)
                page, limit = following() if following is not None else [], larger
            sums.add(texts, left_out, media=writer.media)
            if on_progress is not None:
                on_progress(sums.recipients + sums.excluded)
    with organization_scope(organization_id):
        locked = Outreach.objects.select_for_update(no_key=True).get(id=outreach_id)
        # Launched, or quoted by somebody else, while this one was at work: that one stands, with its chunks.
        overtaken = locked.quote_id != outreach.quote_id or locked.state not in _QUOTABLE
        if not overtaken:
            _put_in_force(locked, quote_id, sums, writer, now)
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

    with organization_scope(organization_id):
        audience = Outreach.objects.get(id=outreach_id).audience
    try:
        with organization_scope(organization_id):
            total = audience_size(audience, now=clock_now())
            report_progress(job_id, done=0, total=total.people, now=clock_now())
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


class _Sums:
    """What a quote comes to, counted as its pages are written."""

    def __init__(self) -> None:
        self.recipients = self.segments = self.credits = self.excluded = self.chunks = self.saved = 0
        self.crowded = 0
        self._longest: tuple[int, int | None] = (0, None)
        self._dearest: tuple[int, int | None] = (0, None)
        self.plan: dict[str, list[int]] = {}
        self.prices: dict[str, list[int]] = {}

    @property
    def examples(self) -> dict[str, int]:
        """The contacts with the longest and the dearest text."""
        found = {"longest": self._longest[1], "dearest": self._dearest[1]}
        return {name: contact_id for name, contact_id in found.items() if contact_id is not None}

    def add(self, texts: Sequence[Written], left_out: Sequence[LeftOut], *, media: bool) -> None:
        self.chunks += -(-len(texts) // CHUNK)
        self.recipients += len(texts)
        self.excluded += len(left_out)
        if texts:
            longest = max(texts, key=_length).draft
            dearest = max(texts, key=_price).draft
            self._longest = max(self._longest, (len(longest.body), longest.contact_id), key=_first)
            self._dearest = max(
                self._dearest, (dearest.credits * 100 + dearest.segments, dearest.contact_id), key=_first
            )
        # Texts of the same bucket and price are many: they are counted together.
        alike = Counter(
            (w.bucket, w.draft.encoding, w.draft.segments, w.draft.credits, w.saved_segments) for w in texts
        )
        for (bucket, encoding, segments, credits, saved), people in alike.items():
            _add(self.plan, bucket, people, people * segments)
            _add(self.prices, f"{'MMS' if media else encoding} {segments}", people, people * credits)
            self.segments += people * segments
            self.credits += people * credits
            self.saved += people * saved


def _length(text: Written) -> int:
    return len(text.draft.body)


def _price(text: Written) -> int:
    return text.draft.credits * 100 + text.draft.segments


def _first(pair: tuple[int, int | None]) -> int:
    return pair[0]


def _add(sums: dict[str, list[int]], key: str, people: int, amount: int) -> None:
    found = sums.setdefault(key, [0, 0])
    found[0] += people
    found[1] += amount


_QUOTABLE = (*UNCONFIRMED, OutreachState.SCHEDULED)


def _refuse_unless_open(outreach: Outreach) -> None:
    if outreach.state not in _QUOTABLE:
        raise QuoteRefused("This outreach is under way already. Add a new one to reach more people.")


def _put_in_force(outreach: Outreach, quote_id: UUID, sums: _Sums, writer: Writer, now: datetime) -> None:
    if outreach.state in (OutreachState.DRAFT, OutreachState.AWAITING_APPROVAL):
        # What a second person was asked to approve is another price now.
        outreach.state, outreach.asked_by_id, outreach.asked_at = OutreachState.QUOTED, None, None
    outreach.quote_id, outreach.quoted_at = quote_id, now
    outreach.recipients, outreach.segments, outreach.credits = sums.recipients, sums.segments, sums.credits
    outreach.excluded, outreach.plan, outreach.prices = sums.excluded, sums.plan, sums.prices
    outreach.examples, outreach.crowded, outreach.fingerprint = sums.examples, sums.crowded, writer.fingerprint
    # On basis "message" plain characters save segments and time, no credits (domain.md, Campaign).
    outreach.plain_saves = {
        "segments": sums.saved,
        "credits": sums.saved if writer.basis is Basis.SEGMENT else 0,
    }
    outreach.save()


def _draft(outreach_id: int) -> Outreach:
    found: Outreach = Outreach.objects.select_related("campaign", "campaign__program").get(id=outreach_id)
    return found


def _freeze(outreach: Outreach, quote_id: UUID, sequence: int, texts: Sequence[Written]) -> None:
    """Whom, at what price, with which words: a row for each thousand, in one statement."""
    for at in range(0, len(texts), CHUNK):
        drafts = [text.draft for text in texts[at : at + CHUNK]]
        run(
            _FREEZE,
            {
                "organization": outreach.organization_id,
                "outreach": outreach.id,
                "quote": quote_id,
                "sequence": sequence + at // CHUNK,
                # Literals of arrays: adapting five lists value by value took a fifth of a quote's time.
                "contacts": array_literal(draft.contact_id for draft in drafts),
                "phones": array_literal(draft.phone for draft in drafts),
                "credits": array_literal(draft.credits for draft in drafts),
                "segments": array_literal(draft.segments for draft in drafts),
                "digests": array_literal(draft.digest for draft in drafts),
            },
        )


_FREEZE = """
INSERT INTO campaigns_quotechunk
    (organization_id, outreach_id, quote_id, sequence, contact_ids, phones, credits, segments, digests)
VALUES (%(organization)s, %(outreach)s, %(quote)s, %(sequence)s, %(contacts)s, %(phones)s, %(credits)s, %(segments)s,
    %(digests)s)
"""
