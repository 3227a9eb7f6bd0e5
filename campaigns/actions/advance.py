"""What the clock brings: starts, the next window of a bucket, ends, completion. Called every second, safe to repeat."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.db import Error as DatabaseError
from django.db.models import F, Max
from django.urls import reverse

from accounts.actions import notify
from accounts.models import Notice
from accounts.rules.permissions import Permission
from audiences.actions import LeftOut, note_exclusions
from audiences.rules.exclusions import Reason
from billing.actions import close_reservation
from campaigns.actions.control import pause_campaign
from campaigns.actions.drafts import StillReading
from campaigns.actions.launch import hold_back, lock_outreach, request_writing, start_scheduled
from campaigns.actions.quotes import QuoteOvertaken, quote_outreach
from campaigns.models import Outreach
from campaigns.queries import calendar_of
from campaigns.rules.holding import HELD_WORDS
from campaigns.rules.hours import ANY_HOUR
from campaigns.rules.states import UNCONFIRMED, CampaignState, OutreachState
from common.actor import SYSTEM
from common.errors import DomainError
from common.tenancy import across_organizations, organization_scope
from consent.rules.media import Level
from events.actions import publish
from messaging.actions.streams import end_queued, set_stream_hours, set_stream_state
from messaging.models import Stream, StreamState
from messaging.queries import held_for, outcome_counts
from messaging.rules.states import State

log = structlog.get_logger(__name__)

STALLED = timedelta(seconds=10)


def advance(*, now: datetime) -> None:
    """Advance every outreach that is under way; opens a scope for each."""
    with across_organizations(because="the clock moves the outreaches of every organization"):
        under_way = list(
            Outreach.objects.filter(quote_id__isnull=False, settled_at=None)
            .exclude(state__in=UNCONFIRMED)
            .order_by("id")
            .values_list("organization_id", "id", "state", "starts_at")
        )
    for organization_id, outreach_id, state, starts_at in under_way:
        try:
            if state != OutreachState.SCHEDULED:
                with organization_scope(organization_id):
                    _advance_one(outreach_id, now)
            elif starts_at is None or starts_at <= now:
                _start(organization_id, outreach_id, now)
        except DatabaseError as error:  # one outreach in trouble holds up nobody else's; it comes again in a second
            log.warning("not_advanced", organization=organization_id, outreach=outreach_id, error=type(error).__name__)


def _start(organization_id: int, outreach_id: int, now: datetime) -> None:
    """Quote anew and start; what refuses waits for a person again."""
    try:
        quote_outreach(organization_id=organization_id, outreach_id=outreach_id, now=now)
        with organization_scope(organization_id):
            start_scheduled(outreach_id, actor=SYSTEM, now=now)
    except QuoteOvertaken:
        return  # a person was faster: what stands now is looked at in a second
    except StillReading:
        return  # people are being brought onto one of its lists: it starts when they are there
    except DomainError as error:
        log.warning("start_refused", organization=organization_id, outreach=outreach_id, code=error.code)
        with organization_scope(organization_id):
            hold_back(outreach_id, why=str(error), actor=SYSTEM, now=now)


def _advance_one(outreach_id: int, now: datetime) -> None:
    # Whoever else is at this outreach (launch, pause, another beat) does the work: this one comes again in a second.
    outreach = lock_outreach(outreach_id, skip_locked=True)
    if outreach is None:
        return
    under_way = outreach.state in (OutreachState.OPEN, OutreachState.PAUSED)
    if under_way and outreach.ends_at is not None and outreach.ends_at <= now:
        _close(outreach, "ended", now)
    elif outreach.state == OutreachState.OPEN and (held := held_for([outreach.source])):
        _hold(outreach, held, now)
    elif outreach.state == OutreachState.OPEN:
        _plan_windows(outreach, now)
        if outreach.written_at is None:
            _go_on_writing(outreach, now)
        elif not _count(outreach, State.QUEUED):
            _close(outreach, "completed", now)
    if outreach.state == OutreachState.CLOSED:
        _settle(outreach, now)


def _go_on_writing(outreach: Outreach, now: datetime) -> None:
    """Where the writer died, start another; one that lives has written a chunk a moment ago."""
    newest = outreach.chunks.aggregate(Max("written_at"))["written_at__max"] or outreach.launched_at
    if newest is None or newest < now - STALLED:
        request_writing(outreach)


def _hold(outreach: Outreach, held: str, now: datetime) -> None:
    """Its texts are filtered or refused as unregistered: going on would cost the number its good name."""
    campaign = outreach.campaign
    pause_campaign(campaign.id, actor=SYSTEM, now=now)
    notify(
        tone=Notice.Tone.TO_DO,
        text=f"“{campaign.name}” was paused. {HELD_WORDS[held].format(number=campaign.sender_number)}",
        url=reverse("campaigns:detail", args=[campaign.id]),
        permission=Permission.CAMPAIGNS_CREATE,
        now=now,
    )


def _plan_windows(outreach: Outreach, now: datetime) -> None:
    """Give each bucket whose window is over its next one: planned anew each day, so a DST night is right by itself."""
    over = Stream.objects.filter(source=outreach.source, state=StreamState.OPEN, open_until__lte=now)
    _give_windows(outreach, list(over.exclude(bucket=ANY_HOUR)), now)


def plan_anew(*, now: datetime) -> None:
    """After the days off of the organization in scope have changed: every bucket under way gets its window again."""
    under_way = Outreach.objects.filter(
        state__in=[OutreachState.OPEN, OutreachState.PAUSED], campaign__program__level=Level.PROMOTIONAL
    )
    for outreach_id in under_way.order_by("id").values_list("id", flat=True):
        outreach = lock_outreach(outreach_id)  # also what is being written: no chunk is left with the former windows
        assert outreach is not None
        streams = Stream.objects.filter(source=outreach.source).exclude(state=StreamState.CLOSED)
        _give_windows(outreach, list(streams.exclude(bucket=ANY_HOUR).order_by("id")), now)


def _give_windows(outreach: Outreach, streams: Sequence[Stream], now: datetime) -> None:
    """Where there is none it is closed, and looked at again a second later."""
    calendar = calendar_of(outreach.campaign, now=now) if streams else None
    for stream in streams:
        window = calendar.window(stream.bucket, now) if calendar else None
        opens, closes = window or (None, min(stream.open_until or now, now))
        if (stream.open_from, stream.open_until) != (opens, closes):
            set_stream_hours(stream.id, open_from=opens, open_until=closes)


def _close(outreach: Outreach, reason: str, now: datetime) -> None:
    outreach.state, outreach.close_reason = OutreachState.CLOSED, reason
    outreach.save(update_fields=["state", "close_reason"])
    set_stream_state(source=outreach.source, state=StreamState.CLOSED)
    campaign = outreach.campaign
    under_way = campaign.outreaches.exclude(state__in=[OutreachState.CLOSED, *UNCONFIRMED])
    if campaign.state in (CampaignState.SENDING, CampaignState.PAUSED) and not under_way.exists():
        campaign.state, campaign.completed_at = CampaignState.COMPLETED, now
        campaign.save(update_fields=["state", "completed_at"])
        publish(kind="campaign.completed", payload={"campaign_id": campaign.id}, now=now)
        notify(
            tone=Notice.Tone.GOOD,
            text=f"“{campaign.name}” is through.",
            url=reverse("campaigns:detail", args=[campaign.id]),
            permission=Permission.CAMPAIGNS_CREATE,
            now=now,
        )


def _settle(outreach: Outreach, now: datetime) -> None:
    """Once nothing of it is open any more, write the last states and give back what was not used."""
    to = State.EXPIRED if outreach.close_reason == "ended" else State.CANCELED
    streams = list(Stream.objects.filter(source=outreach.source).values_list("id", flat=True))
    if end_queued(streams, to=to, now=now):
        return
    counts = outcome_counts(outreach.source)
    if any(state in counts for state in (State.QUEUED, State.UNKNOWN)):
        return
    _account_for_the_unwritten(outreach)
    if outreach.reservation_id is not None:
        close_reservation(outreach.reservation_id, now=now)
    outreach.settled_at = now
    outreach.save(update_fields=["settled_at"])


def _account_for_the_unwritten(outreach: Outreach) -> None:
    """Recipients whose messages were never written, since it ended before: they are left out, and said so."""
    for chunk in outreach.chunks.filter(quote_id=F("outreach__quote_id"), written_at=None).order_by("sequence"):
        left_out = [
            LeftOut(contact_id, phone, Reason.NOT_REACHED)
            for contact_id, phone in zip(chunk.contact_ids, chunk.phones, strict=True)
        ]
        note_exclusions(outreach.id, left_out, quote_id=chunk.quote_id)


def _count(outreach: Outreach, state: State) -> int:
    counts = outcome_counts(outreach.source)
    return counts[state].messages if state in counts else 0
