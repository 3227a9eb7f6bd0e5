"""What a quote comes to: prices, hours, advice."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.urls import reverse

from accounts.queries import current_organization, days_off
from campaigns.models import Campaign, Outreach
from campaigns.rules.forecast import Bucket, Phase, forecast
from campaigns.rules.hours import ANY_HOUR, Calendar, weekly_of
from common.sql import fetch_all
from consent.rules.law import period
from consent.rules.lawful_hours import ALWAYS
from consent.rules.media import Level
from consent.rules.places import clock_words, rules_words
from contacts.models import ContactList, Import
from content.models import Job
from content.rules.segments import GSM_JOINED, GSM_SINGLE, UCS2_JOINED, UCS2_SINGLE
from senders.models import NumberStatus


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


@dataclass(frozen=True, slots=True)
class HeldGroup:
    """People of one kind of place whose texts wait until `opens`, and which rule holds them."""

    people: int
    opens: datetime
    words: str


@dataclass(frozen=True, slots=True)
class Held:
    """When the people of a quote may be texted: at its start, or later; `groups` are the largest of those who wait.

    `beyond` people wait in smaller groups, the last of all until `last`; `never`: no hour is left for them.
    """

    at_once: int
    later: int
    groups: tuple[HeldGroup, ...]
    beyond: int
    last: datetime | None
    never: int


MOST_HELD = 8


def held_by_hours(outreach: Outreach, *, now: datetime) -> Held:
    """How many may be texted at the start, how many later and when, with the rules that hold them."""
    starts = max(outreach.starts_at or now, now)
    calendar = calendar_of(outreach.campaign, now=now)
    at_once, never, groups = 0, 0, list[HeldGroup]()
    for bucket, (people, _) in outreach.plan.items():
        window = (starts, None) if bucket == ANY_HOUR else calendar.window(bucket, starts)
        if window is None:
            never += people
        elif window[0] <= starts:
            at_once += people
        else:
            words = f"{_why_held(calendar, bucket, starts, window[0])}; {clock_words(bucket, window[0])}"
            groups.append(HeldGroup(people, window[0], words))
    groups.sort(key=lambda one: -one.people)
    later, told = sum(one.people for one in groups), tuple(groups[:MOST_HELD])
    last = max((one.opens for one in groups), default=None)
    return Held(at_once, later, told, later - sum(one.people for one in told), last, never)


def _why_held(calendar: Calendar, bucket: str, starts: datetime, opens: datetime) -> str:
    """Which of the law, the business's own hours and its days off keep a bucket waiting, in words."""
    alone = {
        rules_words(bucket): replace(calendar, sending=ALWAYS, days_off=frozenset()),
        "your sending hours": replace(calendar, promotional=False),
    }
    windows = {words: one.window(bucket, starts) for words, one in alone.items() if not one.any_hour}
    binding = [words for words, window in windows.items() if window is None or window[0] > starts]
    without = replace(calendar, days_off=frozenset()).window(bucket, starts)
    if without is None or without[0] < opens:
        binding.append("your days off")
    return " and ".join(binding) or "your sending hours"


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


CROWDED = period("promotional_a_month").value
"""Promotional campaigns a month beyond which people feel pestered (E7): advice, never a block."""
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
            Advice(f"{people} got {CROWDED} promotional campaigns from you this month already. More makes people stop.")
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
