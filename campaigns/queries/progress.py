"""How far campaigns and their outreaches have come, from counters and quotes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from audiences.models import Exclusion
from billing.models import Reservation
from campaigns.models import Campaign, Outreach
from campaigns.rules.states import UNCONFIRMED, CampaignState, OutreachState
from messaging.queries import (
    OutcomeCounts,
    outcome_counts_of,
)
from messaging.rules.states import HANDED_OVER, OPEN, State

NO_QUOTE = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an outreach or a campaign has come.

    `audience` is everybody it was for: exclusions and messages add up to it.
    """

    state: str
    audience: int
    exclusions: Mapping[str, int]
    outcomes: Mapping[State, OutcomeCounts]
    recipients_quoted: int
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


def outreach_progress(outreach_id: int, *, exclusions: bool = True) -> Progress:
    """From counters and the quote: no message is counted for it. What is polled goes without the `exclusions`."""
    outreach = Outreach.objects.get(id=outreach_id)
    return _progress([outreach], outreach.state, exclusions)


def campaign_progress(campaign: Campaign, *, exclusions: bool = True) -> Progress:
    """The same of all outreaches of a campaign together; what is not confirmed yet counts for nothing."""
    return _progress(confirmed_of(campaign), campaign.state, exclusions)


def _progress(outreaches: Sequence[Outreach], state: str, exclusions: bool) -> Progress:
    reasons, outcomes = Counter[str](), dict[State, OutcomeCounts]()
    if exclusions:
        ids, quotes = [one.id for one in outreaches], [one.quote_id or NO_QUOTE for one in outreaches]
        left_out = Exclusion.objects.filter(outreach_id__in=ids, quote_id__in=quotes)  # a quote is of one outreach
        reasons.update(dict(left_out.values_list("reason").annotate(Count("id"))))
    for by_state in outcome_counts_of([outreach.source for outreach in outreaches]).values():
        for one, counts in by_state.items():
            outcomes[one] = outcomes.get(one, OutcomeCounts(0, 0, 0)) + counts
    reservations = list(Reservation.objects.filter(id__in=[one.reservation_id for one in outreaches]))
    return Progress(
        state=state,
        audience=sum(outreach.recipients + outreach.excluded for outreach in outreaches),
        exclusions=dict(reasons),
        outcomes=outcomes,
        recipients_quoted=sum(outreach.recipients for outreach in outreaches),
        credits_quoted=sum(outreach.credits for outreach in outreaches),
        credits_captured=sum(one.captured for one in reservations),
        credits_held=sum(one.credits - one.posted for one in reservations if one.state == "OPEN"),
    )


def confirmed_of(campaign: Campaign) -> list[Outreach]:
    """The outreaches that somebody said may be sent, the oldest first; before that, all there are."""
    found = list(campaign.outreaches.order_by("id"))
    return [outreach for outreach in found if outreach.state not in UNCONFIRMED] or found


PAGE = 50


def campaigns(*, department_id: int | None = None, state: str = "") -> QuerySet[Campaign]:
    """Newest first, with what a list shows of each; of one department's numbers, and drafts without one."""
    found = Campaign.objects.select_related("program", "sender_number").order_by("-id")
    if department_id is not None:
        found = found.filter(Q(sender_number__department_id=department_id) | Q(sender_number=None))
    return found.filter(state=state) if state else found


@dataclass(frozen=True, slots=True)
class CampaignRow:
    """A line of the list of campaigns."""

    campaign: Campaign
    recipients: int
    done: int
    credits: int
    waits: bool = False

    @property
    def percent(self) -> int:
        return self.done * 100 // self.recipients if self.recipients else 0


def campaign_rows(
    *, limit: int = PAGE, department_id: int | None = None, state: str = "", before_id: int | None = None
) -> list[CampaignRow]:
    """The newest campaigns with their progress, in three queries however many there are."""
    wanted = campaigns(department_id=department_id, state=state)
    found = list((wanted if before_id is None else wanted.filter(id__lt=before_id))[:limit])
    outreaches = list(Outreach.objects.filter(campaign_id__in=[campaign.id for campaign in found]))
    counts = outcome_counts_of([outreach.source for outreach in outreaches])
    rows = []
    for campaign in found:
        all_own = [outreach for outreach in outreaches if outreach.campaign_id == campaign.id]
        own = [outreach for outreach in all_own if outreach.state not in UNCONFIRMED] or all_own
        outcomes = [counts.get(outreach.source, {}) for outreach in own]
        done = sum(part.messages for by_state in outcomes for state, part in by_state.items() if state not in OPEN)
        credits = sum(part.credits for by_state in outcomes for state, part in by_state.items() if state in HANDED_OVER)
        waits = any(outreach.state == OutreachState.AWAITING_APPROVAL for outreach in own)
        rows.append(CampaignRow(campaign, sum(outreach.recipients for outreach in own), done, credits, waits))
    return rows


@dataclass(frozen=True, slots=True)
class Deliverability:
    """Of the texts that the carrier has answered for, how many reached the phone."""

    delivered: int
    answered: int


LOOKED_BACK = 20


def deliverability() -> Deliverability:
    """Over the newest campaigns, from counters."""
    newest = Outreach.objects.filter(launched_at__isnull=False).order_by("-id")[:LOOKED_BACK]
    counts = outcome_counts_of([outreach.source for outreach in newest])
    totals: dict[State, int] = {}
    for by_state in counts.values():
        for state, part in by_state.items():
            totals[state] = totals.get(state, 0) + part.messages
    delivered = totals.get(State.DELIVERED, 0)
    return Deliverability(delivered, delivered + totals.get(State.UNDELIVERED, 0) + totals.get(State.FAILED, 0))


NAMED_CAMPAIGNS = 200


def campaigns_by_name(also: Sequence[int] = ()) -> list[tuple[str, str]]:
    """Ids and names of the newest campaigns that were sent, and of those in `also`; the newest first."""
    sent = Campaign.objects.exclude(state=CampaignState.DRAFT)
    shown = {one.id: one for one in sent.order_by("-id")[:NAMED_CAMPAIGNS]}
    if older := set(also) - set(shown):
        shown |= {one.id: one for one in Campaign.objects.filter(id__in=older).order_by("-id")}
    return [(str(one.id), str(one)) for one in shown.values()]
