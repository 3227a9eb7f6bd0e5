"""Reads of campaigns."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, QuerySet
from django.urls import reverse

from accounts.queries import current_organization, days_off
from audiences.models import Exclusion, TargetGroup
from audiences.rules.exclusions import WORDS
from billing.models import Reservation
from campaigns.models import Campaign, Outreach
from campaigns.rules.forecast import Bucket, Phase, forecast
from campaigns.rules.hours import ANY_HOUR, Calendar, weekly_of
from campaigns.rules.states import UNCONFIRMED, CampaignState, OutreachState
from common.sql import fetch_all
from consent.rules.media import Level
from contacts.models import ContactList, Import
from contacts.queries import contact_names
from content.models import Job
from content.queries import UNDER_WAY
from content.rules.segments import GSM_JOINED, GSM_SINGLE, UCS2_JOINED, UCS2_SINGLE
from messaging.gateways.twilio.errors import words_for
from messaging.queries import (
    RECIPIENTS,
    OutcomeCounts,
    Recipient,
    Trouble,
    outcome_counts_of,
    recipients_of,
    troubles_of,
)
from messaging.rules.states import HANDED_OVER, OPEN, State
from messaging.rules.states import WORDS as STATE_WORDS
from senders.models import NumberStatus

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


@dataclass(frozen=True, slots=True)
class OutreachRow:
    """An audience of a campaign, in a table: whom, when, how far."""

    outreach: Outreach
    whom: str
    place: int
    done: int
    unconfirmed: bool
    reading: Import | None


def outreach_rows(campaign: Campaign) -> list[OutreachRow]:
    """The outreaches of a campaign, the first one first."""
    found = list(campaign.outreaches.order_by("id"))
    counts = outcome_counts_of([outreach.source for outreach in found])
    words, reading = whom_words(found), _being_read(found)
    return [
        OutreachRow(
            outreach,
            words[outreach.id],
            place,
            sum(part.messages for state, part in counts.get(outreach.source, {}).items() if state not in OPEN),
            outreach.state in UNCONFIRMED,
            reading.get(outreach.id),
        )
        for place, outreach in enumerate(found, 1)
    ]


def whom_words(outreaches: Sequence[Outreach]) -> dict[int, str]:
    """Whom outreaches are for, in words, by id."""
    lists = ContactList.objects.in_bulk({one for outreach in outreaches for one in outreach.list_ids})
    groups = TargetGroup.objects.in_bulk({one for outreach in outreaches for one in outreach.group_ids})
    files = Import.objects.select_related("file").in_bulk({one.import_id for one in outreaches if one.import_id})
    found = {}
    for outreach in outreaches:
        named = [str(lists[one]) for one in outreach.list_ids if one in lists]
        named += [str(groups[one]) for one in outreach.group_ids if one in groups]
        if outreach.import_id is not None and outreach.import_id in files:
            named.append(files[outreach.import_id].file.name)
        found[outreach.id] = "All contacts" if outreach.everyone else ", ".join(named) or "Nobody yet"
    return found


def uploads_of(campaign: Campaign | None) -> list[Import]:
    """The files of a campaign whose people became no contacts."""
    ids = campaign.upload_ids if campaign is not None else []
    return list(Import.objects.filter(id__in=ids, undo_job=None).select_related("file").order_by("id")) if ids else []


def file_being_read(outreach: Outreach) -> Import | None:
    """The import that is still bringing people of an outreach: a list or file of its audience."""
    return _being_read([outreach]).get(outreach.id)


def _being_read(outreaches: Sequence[Outreach]) -> dict[int, Import]:
    under_way = list(Import.objects.filter(job__state__in=UNDER_WAY).select_related("job", "file"))
    return {
        outreach.id: one
        for outreach in outreaches
        for one in under_way
        if not outreach.everyone and (one.id == outreach.import_id or one.contact_list_id in outreach.list_ids)
    }


def review_url(outreach: Outreach) -> str:
    """Where a quote is looked at: the first outreach's is the campaign's."""
    if outreach.campaign.outreaches.filter(id__lt=outreach.id).exists():
        return reverse("campaigns:outreach", args=[outreach.campaign_id, outreach.id])
    return reverse("campaigns:review", args=[outreach.campaign_id])


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


@dataclass(frozen=True, slots=True)
class TroubleLine:
    """Why texts of a campaign did not arrive, in the user's words, and what was or can be done."""

    people: int
    more: bool
    words: str
    advice: str
    code: int | None
    state: State


def trouble_lines(campaign_id: int) -> list[TroubleLine]:
    return [_trouble_line(trouble) for trouble in troubles_of(campaign_id)]


_UNCERTAIN = {
    State.UNKNOWN: ("In doubt", "The connection broke while it was handed over. The carrier is being asked."),
    State.UNCONFIRMED: ("Not confirmed by the carrier", "Not charged. Never sent again by itself."),
    State.NO_RECEIPT: ("Sent, no receipt came", "It may have arrived: some carriers tell nothing."),
}


def _trouble_line(trouble: Trouble) -> TroubleLine:
    if trouble.state in _UNCERTAIN:
        words, advice = _UNCERTAIN[trouble.state]
    elif trouble.state == State.SKIPPED:
        words, advice = WORDS.get(trouble.reason, trouble.reason).capitalize(), "Asked at the last moment; not charged."
    else:
        words, advice = words_for(trouble.error_code)
        charged = trouble.state == State.UNDELIVERED
        advice += " Charged: the carrier had accepted it." if charged else " Not charged."
    return TroubleLine(trouble.messages, trouble.more, words, advice, trouble.error_code, trouble.state)


@dataclass(frozen=True, slots=True)
class RecipientRow:
    """A line of the recipients of a campaign."""

    recipient: Recipient
    name: str
    words: str


SHOWN_STATES: dict[str, tuple[str, tuple[State, ...]]] = {
    "all": ("Everybody", ()),
    "delivered": ("Delivered", (State.DELIVERED,)),
    "way": ("On the way", (State.ACCEPTED, State.SENT)),
    "waiting": ("Waiting", (State.QUEUED, State.CLAIMED)),
    "failed": ("Failed", (State.FAILED, State.UNDELIVERED)),
    "doubt": ("In doubt", (State.UNKNOWN, State.UNCONFIRMED, State.NO_RECEIPT)),
    "skipped": ("Not sent", (State.SKIPPED, State.CANCELED, State.EXPIRED)),
}
"""The filters of the recipients: name in the address, words, states."""


def recipient_rows(
    campaign_id: int, *, progress: Progress, show: str, error_code: int | None, after: str
) -> tuple[list[RecipientRow], str]:
    """The next recipients of a campaign, and the phone that the next page begins after (empty: the end)."""
    states = SHOWN_STATES[show][1]
    if states and not progress.messages(*states):  # the counters know that there is none: no need to look
        return [], ""
    page = recipients_of(campaign_id, states=states, error_code=error_code, after=after)
    shown = page[:RECIPIENTS]
    names = contact_names([row.contact_id for row in shown if row.contact_id])
    rows = [
        RecipientRow(
            row,
            names.get(row.contact_id or 0, ""),
            fate(row.state, error_code=row.error_code, reason=row.reason),
        )
        for row in shown
    ]
    return rows, shown[-1].phone if len(page) > RECIPIENTS else ""


def fate(state: State, *, error_code: int | None, reason: str) -> str:
    """What became of a text, with the reason where it did not arrive."""
    words = STATE_WORDS[state]
    if state == State.SKIPPED:
        return f"{words}: {WORDS.get(reason, reason)}"
    if error_code and state in (State.FAILED, State.UNDELIVERED):
        return f"{words}: {words_for(error_code)[0].lower()} ({error_code})"
    return words


EXCLUDED = 50


def left_out_people(
    outreaches: Sequence[Outreach], *, reason: str, after: tuple[int, int] | None
) -> tuple[list[tuple[Exclusion, str]], tuple[int, int] | None]:
    """The next people left out of quotes for a reason (empty: any), and the pair that the next page begins after."""
    page: list[Exclusion] = []
    for outreach in sorted(outreaches, key=lambda one: one.id):
        found = Exclusion.objects.filter(outreach_id=outreach.id, quote_id=outreach.quote_id or NO_QUOTE)
        if after is not None:
            found = found.filter(contact_id__gt=after[1]) if outreach.id == after[0] else found
            found = found.none() if outreach.id < after[0] else found
        found = (found.filter(reason=reason) if reason else found).order_by("contact_id")
        page += found[: EXCLUDED + 1 - len(page)] if len(page) <= EXCLUDED else []
    shown = page[:EXCLUDED]
    names = contact_names([row.contact_id for row in shown])
    rows = [(row, names.get(row.contact_id, "someone deleted since")) for row in shown]
    return rows, (shown[-1].outreach_id, shown[-1].contact_id) if len(page) > EXCLUDED else None


@dataclass(frozen=True, slots=True)
class LeftOutLine:
    """How many are left out for one reason, in the user's words."""

    reason: str
    words: str
    people: int


@dataclass(frozen=True, slots=True)
class Price:
    """What the texts of one encoding and length cost: from the frozen quote."""

    encoding: str
    segments: int
    people: int
    credits: int

    @property
    def words(self) -> str:
        """Such as `up to 306 characters`."""
        if self.encoding == "MMS":
            return "any length"
        single, joined = (UCS2_SINGLE, UCS2_JOINED) if self.encoding == "UCS-2" else (GSM_SINGLE, GSM_JOINED)
        return f"up to {single if self.segments == 1 else joined * self.segments} characters"

    @property
    def alphabet(self) -> str:
        if self.encoding == "MMS":
            return "with pictures"
        return "with emoji or other letters (Unicode)" if self.encoding == "UCS-2" else "plain"


def left_out_lines(progress: Progress) -> list[LeftOutLine]:
    found = sorted(progress.exclusions.items(), key=lambda item: -item[1])
    return [LeftOutLine(reason, WORDS[reason], people) for reason, people in found]


def prices(outreach: Outreach) -> list[Price]:
    """The quote by encoding and segments: plain ones first, shortest first."""
    found = []
    for key, (people, credits) in outreach.prices.items():
        encoding, _, segments = key.rpartition(" ")
        found.append(Price(encoding, int(segments), people, credits))
    return sorted(found, key=lambda price: (price.encoding, price.segments))


def forecast_of(outreach: Outreach, *, now: datetime) -> list[Phase]:
    """When the quoted texts will be sent, from the plan of the quote."""
    campaign = outreach.campaign
    starts = max(outreach.starts_at or now, now)
    calendar = calendar_of(campaign, now=now)
    buckets = []
    for bucket, (people, segments) in outreach.plan.items():
        if bucket == ANY_HOUR:
            buckets.append(Bucket(starts, None, people, segments))
            continue
        following = partial(calendar.window, bucket)
        window = following(starts)
        if window is not None:
            buckets.append(Bucket(*window, people, segments, following))
    number = campaign.sender_number
    rate = float(number.segments_per_second) if number is not None and number.segments_per_second else None
    if campaign.hourly_limit and outreach.recipients:
        each = outreach.segments / outreach.recipients
        rate = min(rate or float("inf"), campaign.hourly_limit / 3600 * each)
    return forecast(buckets, rate=rate, starts=starts)


def calendar_of(campaign: Campaign, *, now: datetime) -> Calendar:
    """When its texts may go, by what the organization in scope says today."""
    begun = (now - timedelta(days=1)).date()  # the oldest that is not over in every zone
    promotional = campaign.program is not None and campaign.program.level == Level.PROMOTIONAL
    return Calendar(
        sending=weekly_of(campaign.sending_hours),
        promotional=promotional,
        home_zone=current_organization().time_zone,
        days_off=frozenset(day.day.isoformat() for day in days_off(since=begun)) if promotional else frozenset(),
    )


def start_of_month(now: datetime) -> datetime:
    """The first moment of the month in the organization's zone."""
    local = now.astimezone(ZoneInfo(current_organization().time_zone))
    return local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def promotional_campaigns_since(since: datetime) -> list[int]:
    """Campaigns of promotional programs with an outreach launched since a moment."""
    found = Outreach.objects.filter(launched_at__gte=since, campaign__program__level=Level.PROMOTIONAL)
    return list(found.values_list("campaign_id", flat=True).distinct())


def texted_by_several(phones: Sequence[str], campaign_ids: Sequence[int], *, at_least: int) -> int:
    """How many of the phones were handed texts of at least so many of the campaigns."""
    rows = fetch_all(
        """
SELECT count(*) FROM unnest(%(phones)s::text[]) AS p(phone)
WHERE (SELECT count(*) FROM unnest(%(campaigns)s::bigint[]) AS c(id)
       JOIN messaging_message m ON m.campaign_id = c.id AND m.phone = p.phone AND m.captured) >= %(at_least)s""",
        {"phones": list(phones), "campaigns": list(campaign_ids), "at_least": at_least},
    )
    return int(rows[0][0])


@dataclass(frozen=True, slots=True)
class Advice:
    """Something about a quote that one may want to change; never a block."""

    words: str
    url: str = ""
    label: str = ""


ADVISED_LENGTH = 160
OLD_LIST = timedelta(days=365)


def advice_for(campaign: Campaign, outreach: Outreach, *, now: datetime) -> list[Advice]:
    """E5, E7, the number's state and old lists, in words."""
    found = []
    number = campaign.sender_number
    if number is not None and number.status != NumberStatus.REGISTERED:
        found.append(
            Advice(
                f"{number} is {number.get_status_display().lower()}: carriers take texts only from registered numbers.",
                reverse("registration:register", args=[number.id]),
                "See its registration",
            )
        )
    long = sum(price.people for price in prices(outreach) if price.segments > 1)
    if long:
        whom = "Every text takes" if long == outreach.recipients else f"{long:,} of the texts take"
        found.append(
            Advice(f"{whom} more than one segment. Short texts of up to {ADVISED_LENGTH} characters are read more.")
        )
    if outreach.crowded:
        people = "1 person" if outreach.crowded == 1 else f"{outreach.crowded:,} people"
        found.append(
            Advice(f"{people} got two promotional campaigns from you this month already. More makes people stop.")
        )
    of_file = Q(id=outreach.import_id or 0) | Q(contact_list_id__in=outreach.list_ids)
    halves = Import.objects.filter(of_file, job__state__in=[Job.State.FAILED, Job.State.CANCELED], undo_job=None)
    for half in halves.select_related("file").order_by("id") if not outreach.everyone else ():
        found.append(
            Advice(
                f"{half.file.name} was not read to its end: only the people of {half.rows:,} rows are in the audience.",
                reverse("contacts:import", args=[half.id]),
                "See why",
            )
        )
    lists = ContactList.objects.filter(id__in=outreach.list_ids, created_at__lt=now - OLD_LIST).order_by("name")
    for one in lists if not outreach.everyone else ():
        found.append(
            Advice(
                f"The list “{one}” is older than a year: some may not remember you.",
                reverse("contacts:list_detail", args=[one.id]),
                "See the list",
            )
        )
    return found


NAMED_CAMPAIGNS = 200


def campaigns_by_name(also: Sequence[int] = ()) -> list[tuple[str, str]]:
    """Ids and names of the newest campaigns that were sent, and of those in `also`; the newest first."""
    sent = Campaign.objects.exclude(state=CampaignState.DRAFT)
    shown = {one.id: one for one in sent.order_by("-id")[:NAMED_CAMPAIGNS]}
    if older := set(also) - set(shown):
        shown |= {one.id: one for one in Campaign.objects.filter(id__in=older).order_by("-id")}
    return [(str(one.id), str(one)) for one in shown.values()]


def newest_quote_job(outreach_id: int) -> Job | None:
    return Job.objects.filter(kind=f"quote:{outreach_id}").order_by("-id").first()


def outreach(outreach_id: int) -> Outreach:
    found: Outreach = Outreach.objects.select_related("campaign").get(id=outreach_id)
    return found
