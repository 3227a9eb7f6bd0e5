"""The audiences of a campaign: more people for one that runs or ran, and files of recipients for it."""

import csv
from io import StringIO

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.queries import current_organization
from accounts.rules.permissions import Permission
from billing.queries import current_account
from campaigns.actions import (
    add_outreach,
    check_audience,
    check_start,
    check_times,
    hold_back,
    remove_outreach,
    request_quote,
    use_upload,
)
from campaigns.forms import AudienceForm, TimesForm, times_of
from campaigns.models import Campaign
from campaigns.queries import outreach_rows, uploads_of
from campaigns.rules.states import CampaignState
from campaigns.views.compose import review, with_outreach
from common.clock import now
from common.errors import DomainError
from common.views import MemberRequest, actor_of, member_view, refusals_on
from consent.queries import programs
from contacts.actions import keep_upload, request_import
from contacts.forms import ColumnsForm, FileForm
from contacts.models import Existing, Import
from contacts.queries import (
    custom_fields,
    free_list_name,
    guess_of,
    outlook_of,
    shape_of_upload,
    unknown_columns,
)
from contacts.rules.columns import CUSTOM, NEW
from contacts.rules.fields import FieldKind
from contacts.views.imports import wish_of
from content.models import FileKind, StoredFile

SAMPLE = (
    ("time zone", "phone number", "name", "appointment"),
    ("America/New_York", "+1 212 555 0101", "Maria González", "Tuesday at 9:00"),
    ("America/Chicago", "13125550102", "Robert Smith", "Tuesday at 9:30"),
    ("", "+44 20 7946 0103", "Aisha Hassan", "Wednesday at 14:00"),
)
"""The file that shows how a recipient list is written (C4): the zone may be empty, the "+" left out, columns added."""


@member_view(Permission.CAMPAIGNS_CREATE)
def outreach_list(request: MemberRequest, campaign_id: int) -> HttpResponse:
    """Every audience of a campaign that was sent, and the form for one more."""
    campaign = get_object_or_404(Campaign.objects.select_related("program", "sender_number"), id=campaign_id)
    if campaign.state == CampaignState.DRAFT:
        return redirect("campaigns:edit", campaign.id)
    form = AudienceForm(request.POST or None, uploads=uploads_of(campaign), initial={"whom": "lists"})
    if request.method == "POST" and form.is_valid():
        moment, ends_at = now(), form.cleaned_data["ends_at"]
        with refusals_on(form):
            added = add_outreach(
                campaign,
                form.audience(),
                starts_at=form.begins_at(),
                ends_at=ends_at,
                actor=actor_of(request),
                now=moment,
            )
            check_audience(added)
            check_start(added, now=moment)
            request_quote(added, now=moment)
        if form.is_valid():
            return redirect("campaigns:outreach", campaign.id, added.id)
    context = {
        "campaign": campaign,
        "rows": outreach_rows(campaign),
        "form": form,
        "may_add": campaign.state not in (CampaignState.CANCELED, CampaignState.FAILED),
    }
    return render(request, "campaigns/outreaches.html", context)


@member_view(Permission.CAMPAIGNS_CREATE)
def outreach_review(request: MemberRequest, campaign_id: int, outreach_id: int) -> HttpResponse:
    """The quote of one of the audiences, to be confirmed."""
    campaign, outreach = with_outreach(campaign_id, outreach_id)
    if campaign.state == CampaignState.DRAFT:
        return redirect("campaigns:review", campaign.id)
    return review(request, campaign, outreach, url=request.path)


@member_view(Permission.CAMPAIGNS_CREATE)
@require_POST
def outreach_remove(request: MemberRequest, campaign_id: int, outreach_id: int) -> HttpResponse:
    """Take an audience back that nobody has confirmed."""
    _, outreach = with_outreach(campaign_id, outreach_id)
    try:
        with transaction.atomic():
            hold_back(outreach.id, why="taken back", actor=actor_of(request), now=now())  # where it is scheduled
            remove_outreach(outreach.id, actor=actor_of(request), now=now())
        messages.success(request, "Taken back. Nobody of it is texted.")
    except DomainError as error:
        messages.error(request, str(error))
    return redirect("campaigns:outreaches", campaign_id)


@member_view(Permission.CAMPAIGNS_CREATE)
def upload(request: MemberRequest, campaign_id: int) -> HttpResponse:
    """Step 1 of a recipient list: the file, below what the campaign is."""
    campaign, outreach = with_outreach(campaign_id)
    form = FileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            stored = keep_upload(form.cleaned_data["file"], actor=actor_of(request), now=now())
        if form.is_valid():
            return redirect("campaigns:upload_columns", campaign.id, stored.id)
    context = {
        "campaign": campaign,
        "outreach": outreach,
        "form": form,
        "programs": programs()[:1],
        "sample": SAMPLE,
        "most": current_account().plan.recipient_rows,
        "refused": campaign.state in (CampaignState.CANCELED, CampaignState.FAILED),
    }
    return render(request, "campaigns/upload.html", context)


@member_view(Permission.CAMPAIGNS_CREATE)
def upload_template(request: MemberRequest, campaign_id: int) -> HttpResponse:
    """A file to write one's recipients into, with rows that show how."""
    get_object_or_404(Campaign.objects.all(), id=campaign_id)
    text = StringIO()
    csv.writer(text).writerows(SAMPLE)
    response = HttpResponse("\ufeff" + text.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="recipients.csv"'
    return response


@member_view(Permission.CAMPAIGNS_CREATE)
def upload_columns(request: MemberRequest, campaign_id: int, file_id: int) -> HttpResponse:
    """Step 2: what each column is, who becomes a contact, how they agreed, and when they are texted."""
    campaign, outreach = with_outreach(campaign_id)
    stored = get_object_or_404(StoredFile.objects.filter(kind=FileKind.IMPORT), id=file_id)
    if Import.objects.filter(file=stored).exists():
        return redirect(_after_upload(campaign, outreach.id))
    shape = shape_of_upload(stored)
    # Columns that nobody knows become fields for the text (C4).
    guess = guess_of(stored)
    guess |= dict.fromkeys(unknown_columns(stored, guess), f"{NEW}{FieldKind.TEXT}")
    form = ColumnsForm(
        request.POST or None,
        request.FILES or None,
        shape=shape,
        guess=guess,
        own={f"{CUSTOM}{row.key}": row.name for row in custom_fields()},
        home=current_organization().default_country,
        apart=True,
        chosen={"existing": Existing.APART, "program": campaign.program_id},
    )
    times = TimesForm(request.POST or None, initial=times_of(outreach) if campaign.state == CampaignState.DRAFT else {})
    apart = form["existing"].value() == Existing.APART
    if request.method == "POST" and not request.htmx and form.is_valid() and times.is_valid():
        with refusals_on(form):
            added = _take(request, campaign, stored, form, times, apart=apart)
        if form.is_valid():
            return redirect(_after_upload(campaign, added))
    context = {
        "campaign": campaign,
        "form": form,
        "times": times,
        "file": stored,
        "outlook": outlook_of(stored, form.mapping(), country=form.home(), apart=apart),
        "programs": programs()[:1],
    }
    template = "contacts/import_preview.html" if request.htmx else "campaigns/upload_columns.html"
    return render(request, template, context)


def _take(
    request: MemberRequest,
    campaign: Campaign,
    stored: StoredFile,
    form: ColumnsForm,
    times: TimesForm,
    *,
    apart: bool,
) -> int:
    """Begin the import and make its people an audience; the id of the outreach."""
    starts_at, ends_at, moment = times.begins_at(), times.cleaned_data["ends_at"], now()
    check_times(starts_at, ends_at, now=moment)
    most, name = current_account().plan.recipient_rows, "" if apart else free_list_name(f"{campaign}: {stored.name}")
    wish = wish_of(form, most_rows=most, list_name=name)
    brought = request_import(stored, wish, actor=actor_of(request), now=moment)
    added = use_upload(campaign.id, brought, starts_at=starts_at, ends_at=ends_at, actor=actor_of(request), now=moment)
    check_start(added, now=moment)
    return added.id


def _after_upload(campaign: Campaign, outreach_id: int) -> str:
    """A draft is gone on with; of any other campaign the price comes next."""
    if campaign.state == CampaignState.DRAFT:
        return reverse("campaigns:edit", args=[campaign.id])
    return reverse("campaigns:outreach", args=[campaign.id, outreach_id])
