"""Reads of campaigns."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, QuerySet

from audiences.models import Exclusion
from audiences.rules.exclusions import WORDS
from billing.models import Reservation
from campaigns.models import Campaign, Outreach
from common.sql import fetch_all
from content.models import Job
from messaging.queries import OutcomeCounts, outcome_counts, outcome_counts_of
from messaging.rules.states import HANDED_OVER, OPEN, State

NO_QUOTE = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an outreach has come. `audience` is everybody it was for: exclusions and messages add up to it."""

    state: str
    audience: int
    exclusions: Mapping[str, int]
    outcomes: Mapping[State, OutcomeCounts]
    credits_quoted: int
    credits_captured: int
    credits_held: int

    def messages(self, *states: State) -> int:
        return sum(self.outcomes[state].messages for state in states if state in self.outcomes)

    @property
    def handed_over(self) -> int:
        return self.messages(*HANDED_OVER)

    @property
    def total(self) -> int:
        return sum(counts.messages for counts in self.outcomes.values())


def outreach_progress(outreach_id: int) -> Progress:
    """From counters and the quote: no message is counted for it."""
    outreach = Outreach.objects.get(id=outreach_id)
    left_out = Exclusion.objects.filter(outreach_id=outreach_id, quote_id=outreach.quote_id or NO_QUOTE)
    reasons = left_out.values_list("reason").annotate(Count("id"))
    reservation = Reservation.objects.filter(id=outreach.reservation_id or 0).first()
    held = reservation.credits - reservation.posted if reservation and reservation.state == "OPEN" else 0
    return Progress(
        state=outreach.state,
        audience=outreach.recipients + outreach.excluded,
        exclusions=dict(reasons),
        outcomes=outcome_counts(outreach.source),
        credits_quoted=outreach.credits,
        credits_captured=reservation.captured if reservation else 0,
        credits_held=held,
    )


def campaigns() -> QuerySet[Campaign]:
    """Newest first, with what a list shows of each."""
    return Campaign.objects.select_related("program", "sender_number").order_by("-id")


@dataclass(frozen=True, slots=True)
class CampaignRow:
    """A line of the list of campaigns."""

    campaign: Campaign
    recipients: int
    done: int
    credits: int

    @property
    def percent(self) -> int:
        return self.done * 100 // self.recipients if self.recipients else 0


def campaign_rows(limit: int = 50) -> list[CampaignRow]:
    """The newest campaigns with their progress, in three queries however many there are."""
    found = list(campaigns()[:limit])
    outreaches = list(Outreach.objects.filter(campaign_id__in=[campaign.id for campaign in found]))
    counts = outcome_counts_of([outreach.source for outreach in outreaches])
    rows = []
    for campaign in found:
        own = [outreach for outreach in outreaches if outreach.campaign_id == campaign.id]
        outcomes = [counts.get(outreach.source, {}) for outreach in own]
        done = sum(part.messages for by_state in outcomes for state, part in by_state.items() if state not in OPEN)
        credits = sum(part.credits for by_state in outcomes for state, part in by_state.items() if state in HANDED_OVER)
        rows.append(CampaignRow(campaign, sum(outreach.recipients for outreach in own), done, credits))
    return rows


@dataclass(frozen=True, slots=True)
class LeftOutLine:
    """How many are left out for one reason, in the user's words."""

    words: str
    people: int


@dataclass(frozen=True, slots=True)
class Price:
    """What the texts of one length cost: from the frozen quote."""

    segments: int
    people: int
    credits: int


def left_out_lines(progress: Progress) -> list[LeftOutLine]:
    found = sorted(progress.exclusions.items(), key=lambda item: -item[1])
    return [LeftOutLine(WORDS[reason], people) for reason, people in found]


def prices(outreach: Outreach) -> list[Price]:
    """The quote by segments, shortest first."""
    rows = fetch_all(_PRICES, {"outreach": outreach.id, "quote": outreach.quote_id})
    return [Price(*row) for row in rows]


_PRICES = """
SELECT part.segments, count(*), sum(part.credits)::bigint
FROM campaigns_quotechunk c, unnest(c.segments, c.credits) AS part(segments, credits)
WHERE c.outreach_id = %(outreach)s AND c.quote_id = %(quote)s
GROUP BY part.segments ORDER BY part.segments
"""


def newest_quote_job(outreach_id: int) -> Job | None:
    return Job.objects.filter(kind=f"quote:{outreach_id}").order_by("-id").first()


def outreach(outreach_id: int) -> Outreach:
    found: Outreach = Outreach.objects.select_related("campaign").get(id=outreach_id)
    return found
