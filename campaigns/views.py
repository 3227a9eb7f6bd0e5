from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from accounts.rules.permissions import Permission
from billing.queries import current_account
from campaigns.actions import (
    add_outreach,
    cancel_campaign,
    change_draft,
    create_campaign,
    launch_outreach,
    pause_campaign,
    request_quote,
    resume_campaign,
)
from campaigns.forms import CampaignForm
from campaigns.models import Campaign, Outreach
from campaigns.queries import campaign_rows, left_out_lines, newest_quote_job, outreach_progress, prices
from campaigns.rules.states import CampaignState
from common.clock import now
from common.errors import DomainError
from common.views import MemberRequest, actor_of, member_view, refusals_on
from consent.queries import programs
from content.models import Job
from content.rules.rendering import with_way_out
from messaging.rules.states import OPEN, State
from senders.queries import registered_numbers

REFRESH_SECONDS = "1"
CONTROLS = {"pause": pause_campaign, "resume": resume_campaign, "cancel": cancel_campaign}


@member_view(Permission.CAMPAIGNS_VIEW)
def campaign_list(request: MemberRequest) -> HttpResponse:
    """Campaigns, newest first, with progress and credits."""
    context = {"account": current_account(), "rows": campaign_rows(), "may_send": bool(registered_numbers()[:1])}
    return render(request, "campaigns/list.html", context)


@member_view(Permission.CAMPAIGNS_CREATE)
def campaign_new(request: MemberRequest) -> HttpResponse:
    form = CampaignForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            campaign = create_campaign(
                name=form.cleaned_data["name"],
                program=form.cleaned_data["program"],
                number=form.cleaned_data["number"],
                body=form.cleaned_data["body"],
                opt_out_word=form.cleaned_data["opt_out_word"],
                actor=actor_of(request),
                now=now(),
            )
            outreach = add_outreach(campaign, form.audience(), actor=actor_of(request), now=now())
            request_quote(outreach, now=now())
        if form.is_valid():
            return redirect("campaigns:review", campaign.id)
    ready = {"programs": bool(programs()[:1]), "numbers": bool(registered_numbers()[:1])}
    return render(request, "campaigns/compose.html", {"form": form, "title": "New campaign", **ready})


@member_view(Permission.CAMPAIGNS_CREATE)
def campaign_edit(request: MemberRequest, campaign_id: int) -> HttpResponse:
    campaign, outreach = _with_outreach(campaign_id)
    if campaign.state != CampaignState.DRAFT:
        return redirect("campaigns:detail", campaign.id)
    initial = {
        "name": campaign.name,
        "number": campaign.sender_number_id,
        "program": campaign.program_id,
        "body": campaign.body,
        "opt_out_word": campaign.opt_out_word,
        "lists": outreach.list_ids,
    }
    form = CampaignForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            change_draft(
                campaign.id,
                name=form.cleaned_data["name"],
                program=form.cleaned_data["program"],
                number=form.cleaned_data["number"],
                body=form.cleaned_data["body"],
                opt_out_word=form.cleaned_data["opt_out_word"],
                audience=form.audience(),
                actor=actor_of(request),
                now=now(),
            )
            request_quote(outreach, now=now())
        if form.is_valid():
            return redirect("campaigns:review", campaign.id)
    context = {"form": form, "title": campaign.name, "programs": True, "numbers": True}
    return render(request, "campaigns/compose.html", context)


@member_view(Permission.CAMPAIGNS_CREATE)
def campaign_review(request: MemberRequest, campaign_id: int) -> HttpResponse:
    """The quote. Sending it is sending what was seen: by its id, so that a second click is the first."""
    campaign, outreach = _with_outreach(campaign_id)
    if request.method == "POST":
        try:
            launch_outreach(
                outreach.id, quote_id=UUID(request.POST.get("quote", "")), actor=actor_of(request), now=now()
            )
        except (DomainError, ValueError) as error:
            messages.error(request, str(error) if isinstance(error, DomainError) else "Look at the quote again.")
            return redirect("campaigns:review", campaign.id)
        return redirect("campaigns:detail", campaign.id)
    if campaign.state != CampaignState.DRAFT:
        return redirect("campaigns:detail", campaign.id)
    job = newest_quote_job(outreach.id)
    running = job is not None and job.state in (Job.State.WAITING, Job.State.RUNNING)
    context: dict[str, Any] = {"campaign": campaign, "outreach": outreach, "job": job, "running": running}
    if not running:
        progress = outreach_progress(outreach.id)
        context |= {
            "account": current_account(),
            "left_out": left_out_lines(progress),
            "audience": progress.audience,
            "prices": prices(outreach),
            "sample": with_way_out(campaign.body, campaign.opt_out_word),
        }
    response = render(request, "campaigns/review.html", context)
    if running:
        response["Refresh"] = REFRESH_SECONDS
    return response


@member_view(Permission.CAMPAIGNS_VIEW)
def campaign_detail(request: MemberRequest, campaign_id: int) -> HttpResponse:
    """How far it is, what became of the texts, who was left out."""
    campaign, outreach = _with_outreach(campaign_id)
    if campaign.state == CampaignState.DRAFT and request.member.may(Permission.CAMPAIGNS_CREATE):
        return redirect("campaigns:edit", campaign.id)
    progress = outreach_progress(outreach.id)
    on_the_way = progress.messages(State.ACCEPTED, State.SENT)
    context = {
        "campaign": campaign,
        "progress": progress,
        "left_out": left_out_lines(progress),
        "decided": progress.total - progress.messages(*OPEN),
        "delivered": progress.messages(State.DELIVERED),
        "on_the_way": on_the_way,
        "failed": progress.messages(State.UNDELIVERED, State.FAILED),
        "unknown": progress.messages(State.UNKNOWN, State.UNCONFIRMED),
        "skipped": progress.messages(State.SKIPPED, State.CANCELED, State.EXPIRED),
        "may_control": request.member.may(Permission.CAMPAIGNS_CREATE),
    }
    response = render(request, "campaigns/detail.html", context)
    if campaign.state == CampaignState.SENDING or on_the_way:
        response["Refresh"] = REFRESH_SECONDS
    return response


@member_view(Permission.CAMPAIGNS_CREATE)
@require_POST
def campaign_control(request: MemberRequest, campaign_id: int, verb: str) -> HttpResponse:
    """Pause, resume or cancel."""
    campaign = get_object_or_404(Campaign.objects.all(), id=campaign_id)
    if verb not in CONTROLS:
        raise Http404
    try:
        CONTROLS[verb](campaign.id, actor=actor_of(request), now=now())
    except DomainError as error:
        messages.error(request, str(error))
    return redirect("campaigns:detail", campaign.id)


def _with_outreach(campaign_id: int) -> tuple[Campaign, Outreach]:
    campaign = get_object_or_404(Campaign.objects.select_related("program", "sender_number"), id=campaign_id)
    return campaign, campaign.outreaches.order_by("id")[0]
