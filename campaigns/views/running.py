"""The table of campaigns, and one that runs or ran."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from accounts.rules.permissions import Permission
from billing.queries import credits_used, current_account
from campaigns.actions import (
    cancel_campaign,
    delete_draft,
    duplicate_campaign,
    hold_back,
    pause_campaign,
    resume_campaign,
)
from campaigns.models import Campaign, Outreach
from campaigns.queries import (
    PAGE,
    SHOWN_STATES,
    Progress,
    campaign_progress,
    campaign_rows,
    forecast_of,
    left_out_lines,
    outreach_rows,
    recipient_rows,
    trouble_lines,
)
from campaigns.rules.holding import HELD_WORDS, OUTAGE_WORDS
from campaigns.rules.states import CampaignState, OutreachState
from campaigns.views.compose import with_outreach
from common.clock import now
from common.errors import DomainError
from common.templatetags.frame import share
from common.views import MemberRequest, actor_of, confirmation, member_view, number_in
from contacts.queries import contact_names
from messaging.models import Link
from messaging.queries import CLICKERS, clickers_of, held_for, links_of, outages, speed_of
from messaging.rules.states import OPEN, State
from senders.queries import registered_numbers

TABS = (
    ("", "All"),
    ("DRAFT", "Drafts"),
    ("SCHEDULED", "Scheduled"),
    ("SENDING", "Sending"),
    ("COMPLETED", "Completed"),
)


@member_view(Permission.CAMPAIGNS_VIEW)
def campaign_list(request: MemberRequest) -> HttpResponse:
    """Campaigns, newest first, with progress, speed and credits."""
    state = request.GET.get("state", "")
    state = state if state in dict(TABS) else ""
    rows = campaign_rows(
        limit=PAGE + 1,
        department_id=request.member.department_id,
        state=state,
        before_id=number_in(request.GET.get("before", "")),
    )
    month = timezone.localtime(now()).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    context = {
        "account": current_account(),
        "used": credits_used(since=month),
        "rows": rows[:PAGE],
        "next_before": rows[PAGE - 1].campaign.id if len(rows) > PAGE else None,
        "tabs": TABS,
        "state": state,
        "may_send": bool(registered_numbers()[:1]),
        "may_create": request.member.may(Permission.CAMPAIGNS_CREATE),
        "live": any(row.campaign.state == CampaignState.SENDING for row in rows),
    }
    return render(request, "campaigns/list.html", context)


@member_view(Permission.CAMPAIGNS_VIEW)
def campaign_detail(request: MemberRequest, campaign_id: int) -> HttpResponse:
    """How far it is, how fast, what became of the texts, who was left out."""
    campaign, outreach = with_outreach(campaign_id)
    may_control = request.member.may(Permission.CAMPAIGNS_CREATE)
    if campaign.state == CampaignState.DRAFT and may_control:
        return redirect("campaigns:edit", campaign.id)
    progress = campaign_progress(campaign, exclusions=not request.htmx)
    context = _live(campaign, outreach, progress) | {"may_control": may_control}
    if request.htmx:
        return render(request, "campaigns/live.html", context)
    context["left_out"] = left_out_lines(progress)
    return render(request, "campaigns/detail.html", context)


@member_view(Permission.CAMPAIGNS_VIEW)
def campaign_recipients(request: MemberRequest, campaign_id: int) -> HttpResponse:
    """Each text of the campaign, filtered by what became of it."""
    campaign = get_object_or_404(Campaign.objects.all(), id=campaign_id)
    show, code = request.GET.get("show", "all"), request.GET.get("code", "")
    show = show if show in SHOWN_STATES else "all"
    rows, next_after = recipient_rows(
        campaign.id,
        progress=campaign_progress(campaign, exclusions=False),
        show=show,
        error_code=number_in(code),
        after=request.GET.get("after", ""),
    )
    tabs = [(key, words) for key, (words, _states) in SHOWN_STATES.items()]
    context = {"campaign": campaign, "rows": rows, "next_after": next_after, "show": show, "tabs": tabs, "code": code}
    return render(request, "campaigns/recipients.html", context)


@member_view(Permission.CAMPAIGNS_VIEW)
def campaign_clicks(request: MemberRequest, campaign_id: int, place: int) -> HttpResponse:
    """Who followed a link of the text."""
    campaign = get_object_or_404(Campaign.objects.all(), id=campaign_id)
    link = get_object_or_404(Link.objects.filter(campaign_id=campaign.id), place=place)
    page = clickers_of(link, after=request.GET.get("after", ""))
    shown = page[:CLICKERS]
    names = contact_names([short.contact_id for short in shown])
    context = {
        "campaign": campaign,
        "link": link,
        "rows": [(short, names.get(short.contact_id, "someone deleted since")) for short in shown],
        "next_after": shown[-1].phone if len(page) > CLICKERS else "",
    }
    return render(request, "campaigns/clicks.html", context)


@member_view(Permission.CAMPAIGNS_CREATE)
def campaign_control(request: MemberRequest, campaign_id: int, verb: str) -> HttpResponse:
    """Pause, resume, cancel, take back from the schedule, throw a draft away; what cannot be undone is asked first."""
    campaign = get_object_or_404(Campaign.objects.all(), id=campaign_id)
    if verb not in ("pause", "resume", "cancel", "unschedule", "delete", "duplicate"):
        raise Http404
    if request.method != "POST":
        if verb == "duplicate":
            return redirect("campaigns:detail", campaign.id)
        return _asked(request, campaign, verb)
    facts: dict[str, Any] = {"actor": actor_of(request), "now": now()}
    try:
        if verb == "delete":
            delete_draft(campaign.id, **facts)
            messages.success(request, f"The draft “{campaign}” is gone.")
            return redirect("campaigns:list")
        if verb == "duplicate":
            copy = duplicate_campaign(campaign.id, form_id=UUID(request.POST.get("form_id", "")), **facts)
            return redirect("campaigns:edit", copy.id)
        if verb == "unschedule":
            for outreach in campaign.outreaches.order_by("id"):
                hold_back(outreach.id, why="changed by a person", **facts)
            return redirect("campaigns:edit", campaign.id)
        {"pause": pause_campaign, "resume": resume_campaign, "cancel": cancel_campaign}[verb](campaign.id, **facts)
    except (DomainError, ValueError) as error:
        messages.error(request, str(error) if isinstance(error, DomainError) else "Load the page and try again.")
    return redirect("campaigns:detail", campaign.id)


def _asked(request: MemberRequest, campaign: Campaign, verb: str) -> HttpResponse:
    """The question before something that cannot be undone, with its figures."""
    back = reverse("campaigns:detail", args=[campaign.id])
    if verb == "delete":
        words = "Its text and audience are gone for good. Nothing was sent, nothing is charged."
        return confirmation(
            request, title=f"Throw “{campaign}” away?", words=words, submit="Throw it away", back=back, danger=True
        )
    if verb == "cancel":
        progress = campaign_progress(campaign, exclusions=False)
        unsent = max(progress.recipients_quoted - progress.total + progress.messages(*OPEN), 0)
        words = (
            f"{unsent:,} messages are not sent yet and never will be. {progress.credits_held:,} held credits come back."
        )
        return confirmation(
            request,
            title=f"Cancel the rest of “{campaign}”?",
            words=words,
            submit="Cancel the rest",
            back=back,
            danger=True,
        )
    words = {
        "pause": "Nothing more is handed to the carrier until you resume it.",
        "resume": "Sending goes on where it stopped.",
        "unschedule": "It becomes a draft again, and the held credits come back until you confirm it anew.",
    }[verb]
    title = {"pause": "Pause", "resume": "Resume", "unschedule": "Change"}[verb]
    return confirmation(request, title=f"{title} “{campaign}”?", words=words, submit=title, back=back)


@dataclass(frozen=True, slots=True)
class Figure:
    """A card with one number (partials/figure.html); `url` leads to what it is made of."""

    label: str
    value: int
    tone: str = ""
    note: str = ""
    url: str = ""


def _live(campaign: Campaign, outreach: Outreach, progress: Progress) -> dict[str, Any]:
    moment = now()
    others = list(campaign.outreaches.exclude(id=outreach.id).order_by("id"))
    sources = [outreach.source, *(one.source for one in others)]
    rate = campaign.sender_number.segments_per_second if campaign.sender_number else None
    under_way = campaign.state in (CampaignState.SENDING, CampaignState.PAUSED)
    speeds = speed_of(sources, rate=float(rate) if rate else None, now=moment if under_way else None)
    waiting = [one for one in (outreach, *others) if one.state == OutreachState.SCHEDULED and one.starts_at is not None]
    following = min(waiting, key=lambda one: one.starts_at or moment, default=None)
    scheduled = campaign.state == CampaignState.SCHEDULED
    total = max(progress.total, progress.recipients_quoted)
    figures = _figures(campaign, progress)
    held = held_for(sources) if campaign.state == CampaignState.PAUSED else ""
    outage = next((one for one in outages(now=moment) if one.carrier_account_id == _account_of(campaign)), None)
    return {
        "campaign": campaign,
        "outreach": outreach,
        "held": HELD_WORDS[held].format(number=campaign.sender_number) if held else "",
        "outage": outage if campaign.state == CampaignState.SENDING else None,
        "outage_words": OUTAGE_WORDS[outage.answer] if outage else "",
        "form_id": uuid4(),
        "decided": progress.total - progress.messages(*OPEN),
        "total": total,
        "waiting": progress.messages(State.QUEUED, State.CLAIMED),
        "figures": figures,
        "bar": _bar(progress, total),
        "bar_words": ", ".join(f"{figure.value} {figure.label.lower()}" for figure in figures[:3]),
        "troubles": trouble_lines(campaign.id),
        "links": links_of(campaign.id),
        "speeds": [[point.at.timestamp(), round(point.segments_per_second, 2)] for point in speeds],
        "speed": speeds[-1].segments_per_second if speeds and campaign.state == CampaignState.SENDING else None,
        "rate": rate,
        "zone_seconds": int(timezone.localtime(moment).utcoffset().total_seconds()),  # type: ignore[union-attr]
        "phases": forecast_of(following, now=moment) if scheduled and following is not None else [],
        "starts_at": following.starts_at if following is not None else None,
        # Also until the first sample of speed is taken: a short campaign is over before.
        "live": under_way
        or scheduled
        or progress.messages(State.ACCEPTED, State.SENT)
        or (progress.handed_over and not speeds and outreach.settled_at is None),
        "rows": outreach_rows(campaign) if others else [],
    }


def _account_of(campaign: Campaign) -> int | None:
    return campaign.sender_number.carrier_account_id if campaign.sender_number else None


def _figures(campaign: Campaign, progress: Progress) -> list[Figure]:
    people = reverse("campaigns:recipients", args=[campaign.id])
    answered = progress.messages(State.DELIVERED, State.UNDELIVERED, State.FAILED)

    def figure(label: str, show: str, tone: str = "", note: str = "see people") -> Figure:
        value = progress.messages(*SHOWN_STATES[show][1])
        return Figure(label, value, tone, note if value else "", f"{people}?show={show}")

    delivered = progress.messages(State.DELIVERED)
    return [
        figure("Delivered", "delivered", "green", f"{share(delivered, answered)} of answered"),
        figure("On the way", "way", "blue", "at the carrier"),
        figure("Failed", "failed", "red"),
        figure("Not sent", "skipped"),
        figure("In doubt", "doubt", "orange"),
        Figure("Credits used", progress.credits_captured, note=f"{progress.credits_held:,} held"),
    ]


def _bar(progress: Progress, total: int) -> list[tuple[str, float, float]]:
    """The parts of the progress bar: class, where it begins and how wide it is, in percent."""
    parts = (
        ("ok", progress.messages(State.DELIVERED)),
        ("go", progress.messages(State.ACCEPTED, State.SENT, State.NO_RECEIPT)),
        ("bad", progress.messages(State.UNDELIVERED, State.FAILED)),
        ("not", progress.messages(State.SKIPPED, State.CANCELED, State.EXPIRED, State.UNKNOWN, State.UNCONFIRMED)),
    )
    found, begins = [], 0.0
    for name, count in parts:
        width = count * 100 / total if total else 0.0
        found.append((name, round(begins, 3), round(width, 3)))
        begins += width
    return found
