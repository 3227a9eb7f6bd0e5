"""The composer, which saves itself, and the quote that is confirmed."""

import contextlib
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.db import transaction
from django.http import FileResponse, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.queries import current_organization, user_name
from accounts.rules.permissions import Permission
from audiences.rules.exclusions import WORDS
from billing.queries import cover_of, current_account
from campaigns.actions import (
    CampaignRefused,
    DraftChanged,
    add_picture,
    check_audience,
    check_ready,
    check_start,
    check_times,
    confirm_outreach,
    example_of,
    preview,
    remove_picture,
    request_quote,
    save_draft,
    use_template,
    withdraw_request,
)
from campaigns.forms import CampaignForm, initial_of
from campaigns.models import Campaign, Outreach
from campaigns.queries import (
    advice_for,
    campaign_progress,
    confirmed_of,
    file_being_read,
    forecast_of,
    held_by_hours,
    left_out_lines,
    left_out_people,
    newest_quote_job,
    outreach_progress,
    prices,
    uploads_of,
    whom_words,
)
from campaigns.rules.forecast import by_slot
from campaigns.rules.states import UNCONFIRMED, CampaignState, OutreachState
from common.clock import now
from common.errors import DomainError
from common.money import format_micros
from common.views import MemberRequest, actor_of, member_view, number_in, refusals_on
from consent.queries import programs
from contacts.queries import custom_fields
from content.actions import store_picture
from content.models import FileKind, Job, StoredFile
from content.queries import is_live, path_of
from content.rules.rendering import CUSTOM, STOP_LINK, TAGS
from messaging.queries import link_base
from messaging.rules.links import CODE_LENGTH, short_url
from senders.queries import registered_numbers

SLOTS = 24
EXAMPLES = {"longest": "The longest text", "dearest": "The most expensive text"}
"""Whose text can be seen with a quote, beside the first one."""
QUICK_TAGS = ("first_name", "last_name", "phone", "email")
"""The fields that are offered at once (A6); all others are in the dialog."""


@member_view(Permission.CAMPAIGNS_CREATE)
def campaign_new(request: MemberRequest) -> HttpResponse:
    """An empty composer; nothing is written before something is typed."""
    if request.method == "POST":
        return _compose(request, _form(request, request.POST), campaign=None)
    only = registered_numbers(department_id=request.member.department_id)[:2]
    kinds = programs()[:2]
    initial: dict[str, Any] = {
        "form_id": uuid4(),
        "revision": 0,
        "number": only[0].id if len(only) == 1 else None,
        "program": kinds[0].id if len(kinds) == 1 else None,
        "language": "en",
    }
    for one in ("list", "group"):
        if (chosen := number_in(request.GET.get(one, ""))) is not None:
            initial |= {"whom": "lists", f"{one}s": [chosen]}
    return _composer(request, _form(request, initial=initial), campaign=None)


@member_view(Permission.CAMPAIGNS_CREATE)
@never_cache
def campaign_edit(request: MemberRequest, campaign_id: int) -> HttpResponse:
    """The composer with a draft in it."""
    campaign, outreach = with_outreach(campaign_id)
    if campaign.state != CampaignState.DRAFT:
        return redirect("campaigns:detail", campaign.id)
    if request.method == "POST":
        return _compose(request, _form(request, request.POST, campaign=campaign), campaign=campaign)
    return _composer(
        request, _form(request, campaign=campaign, initial=initial_of(campaign, outreach)), campaign=campaign
    )


@member_view(Permission.CAMPAIGNS_CREATE)
@require_POST
def campaign_autosave(request: MemberRequest) -> HttpResponse:
    """Keep what is typed so far; the answer is the phone and the cost beside it."""
    form = _form(request, request.POST)
    form.is_valid()
    context: dict[str, Any] = {"form": form}
    try:
        campaign = _saved(request, form)
    except DomainError as error:
        context |= {"refusal": str(error), "conflict": isinstance(error, DraftChanged)}
        return render(request, "campaigns/side.html", context)
    context["picture_faults"] = _add_pictures(request, campaign)
    campaign.refresh_from_db()
    context |= {"campaign": campaign, **_beside(request, campaign)}
    response = render(request, "campaigns/side.html", context)
    response["HX-Replace-Url"] = reverse("campaigns:edit", args=[campaign.id])
    return response


@member_view(Permission.CAMPAIGNS_CREATE)
def campaign_review(request: MemberRequest, campaign_id: int) -> HttpResponse:
    """The quote. Sending it is sending what was seen: by its id, so that a second click is the first."""
    return review(request, *with_outreach(campaign_id), url=reverse("campaigns:review", args=[campaign_id]))


def review(request: MemberRequest, campaign: Campaign, outreach: Outreach, *, url: str) -> HttpResponse:
    """The review of an outreach, whose address is `url`: its quote while it is made, then what it says."""
    if outreach.state not in UNCONFIRMED or campaign.state == CampaignState.CANCELED:
        return redirect("campaigns:detail", campaign.id)
    if request.method == "POST":
        return _confirm(request, campaign, outreach, url)
    times = (outreach.starts_at, outreach.ends_at)
    first = url == reverse("campaigns:review", args=[campaign.id])
    # The job first, then what it made: the other way round a quote that is ready in between would be missed.
    newest = newest_quote_job(outreach.id)
    running = is_live(newest, now=now())
    campaign, outreach = with_outreach(campaign.id, outreach.id)
    reading = file_being_read(outreach)
    if reading is None and not running and newest is None and outreach.quoted_at is None and not first:
        newest, running = request_quote(outreach, now=now()), True  # its file is through: what was waited for begins
    context: dict[str, Any] = {
        "campaign": campaign,
        "outreach": outreach,
        "job": newest,
        "reading": reading,
        "url": url,
        "back": reverse("campaigns:edit" if first else "campaigns:outreaches", args=[campaign.id]),
        "back_words": "Back to the text" if first else "Back to the audiences",
        # The price that stands is older than the one that was asked for last and never came.
        "stale": newest is not None
        and newest.state != Job.State.DONE
        and outreach.quoted_at is not None
        and newest.created_at > outreach.quoted_at,
        "running": running or reading is not None,
        "whom": whom_words([outreach])[outreach.id],
        "first": first,
        "too_late": any(at is not None and at <= now() for at in times),
    }
    if not context["running"] and outreach.quoted_at is not None:
        context |= _quote(campaign, outreach, place=request.GET.get("show", ""))
        waits = outreach.state == OutreachState.AWAITING_APPROVAL
        above = current_organization().approval_above
        context |= {
            "waits": waits,
            "asked_me": waits and outreach.asked_by_id == request.member.user_id,
            "asked_by": user_name(outreach.asked_by_id) if waits else "",
            "needs_approval": above is not None and outreach.recipients > above,
        }
    return render(request, "campaigns/quote.html" if request.htmx else "campaigns/review.html", context)


def _confirm(request: MemberRequest, campaign: Campaign, outreach: Outreach, url: str) -> HttpResponse:
    """Send, schedule, ask for approval or take that back; a refusal says why on the review."""
    try:
        if "withdraw" in request.POST:
            withdraw_request(outreach.id, actor=actor_of(request), now=now())
            return redirect(url)
        if "again" in request.POST:
            check_ready(campaign)
            check_audience(outreach)
            request_quote(outreach, now=now())
            return redirect(url)
        quote_id = UUID(request.POST.get("quote", ""))
        with transaction.atomic():  # what refuses leaves nothing behind, not even a note of approval
            confirmed = confirm_outreach(outreach.id, quote_id=quote_id, actor=actor_of(request), now=now())
    except (DomainError, ValueError) as error:
        messages.error(request, str(error) if isinstance(error, DomainError) else "Look at the quote again.")
        return redirect(url)
    if confirmed.state == OutreachState.AWAITING_APPROVAL:
        messages.success(request, "Your colleagues are asked to approve it. Nothing is sent before one of them does.")
        return redirect(url)
    return redirect("campaigns:detail", campaign.id)


@member_view(Permission.CAMPAIGNS_VIEW)
def campaign_picture(request: MemberRequest, picture_id: int) -> HttpResponseBase:
    """A picture of a draft or campaign, as it is sent."""
    picture = get_object_or_404(StoredFile.objects.filter(kind=FileKind.MEDIA), id=picture_id)
    return FileResponse(path_of(picture).open("rb"), content_type=picture.content_type)


@member_view(Permission.CAMPAIGNS_VIEW)
def campaign_left_out(request: MemberRequest, campaign_id: int) -> HttpResponse:
    """The people behind a figure of a quote, or of all of the campaign's: who is left out, and why."""
    campaign = get_object_or_404(Campaign.objects.all(), id=campaign_id)
    reason, chosen = request.GET.get("reason", ""), number_in(request.GET.get("outreach", ""))
    if chosen is None:
        outreaches, progress = confirmed_of(campaign), campaign_progress(campaign)
    else:
        outreaches, progress = [with_outreach(campaign_id, chosen)[1]], outreach_progress(chosen)
    rows, following = left_out_people(outreaches, reason=reason, after=_pair(request.GET.get("after", "")))
    context = {
        "campaign": campaign,
        "rows": [(row, name, WORDS[row.reason]) for row, name in rows],
        "reason": reason,
        "chosen": chosen,
        "words": WORDS.get(reason, ""),
        "lines": left_out_lines(progress),
        "next_after": "{}:{}".format(*following) if following else "",
    }
    return render(request, "campaigns/left_out.html", context)


def _pair(text: str) -> tuple[int, int] | None:
    """An outreach and a person (negative: of a file) of an address."""
    outreach, _, person = text.partition(":")
    first, second = number_in(outreach), number_in(person.removeprefix("-"))
    return None if first is None or second is None else (first, -second if person.startswith("-") else second)


def with_outreach(campaign_id: int, outreach_id: int | None = None) -> tuple[Campaign, Outreach]:
    """A campaign with one of its outreaches, the first where none is named; 404 where it has no such."""
    campaign = get_object_or_404(Campaign.objects.select_related("program", "sender_number"), id=campaign_id)
    if outreach_id is None:
        return campaign, campaign.outreaches.order_by("id")[0]
    outreach = get_object_or_404(Outreach.objects.filter(campaign=campaign), id=outreach_id)
    outreach.campaign = campaign
    return campaign, outreach


def _form(
    request: MemberRequest, data: QueryDict | None = None, *, campaign: Campaign | None = None, **known: Any
) -> CampaignForm:
    if campaign is None and data is not None:  # an autosave names the draft by its form
        with contextlib.suppress(ValueError):
            campaign = Campaign.objects.filter(form_id=UUID(data.get("form_id", ""))).first()
    return CampaignForm(data, user_id=request.member.user_id, uploads=uploads_of(campaign), **known)


def _compose(request: MemberRequest, form: CampaignForm, *, campaign: Campaign | None) -> HttpResponse:
    """Save what was sent, and go on to the review where that was wanted and it could be sent."""
    then = request.POST.get("then", "review")
    to_review = then == "review"
    saved, conflict = None, False
    if form.is_valid():
        with refusals_on(form):
            try:
                saved = _saved(request, form)
            except DraftChanged:
                conflict = True
                raise
    if saved is not None:
        for fault in _add_pictures(request, saved):
            form.add_error("pictures", fault)
            if then == "draft":
                messages.error(request, fault)
    if saved is not None and then.startswith("without:"):
        remove_picture(saved.id, number_in(then.removeprefix("without:")) or 0, actor=actor_of(request), now=now())
        return redirect("campaigns:edit", saved.id)
    if saved is not None and then in ("pictures", "test"):
        if form.is_valid():
            return redirect("campaigns:edit" if then == "pictures" else "campaigns:test", saved.id)
    elif saved is not None and then == "template":
        with refusals_on(form):
            _use_template(request, form, saved)
        if form.is_valid():
            return redirect("campaigns:edit", saved.id)
    elif saved is not None and not to_review:
        messages.success(request, f"“{saved}” is kept as a draft.")
        return redirect("campaigns:list")
    elif saved is not None:
        with refusals_on(form):
            _, outreach = with_outreach(saved.id)
            check_ready(saved)
            check_audience(outreach)
            check_start(outreach, now=now())
            check_times(outreach.starts_at, outreach.ends_at, now=now())
            if outreach.state != OutreachState.AWAITING_APPROVAL:  # unchanged, it waits with the price that it has
                request_quote(outreach, now=now())
        if form.is_valid():
            return redirect("campaigns:review", saved.id)
    return _composer(request, form, campaign=saved or campaign, saved=saved is not None, conflict=conflict)


def _add_pictures(request: MemberRequest, campaign: Campaign) -> list[str]:
    """Take the pictures that came with the form; what is wrong with those that are not taken."""
    faults = []
    for upload in request.FILES.getlist("pictures"):
        try:
            with transaction.atomic():
                picture = store_picture(upload, actor=actor_of(request), now=now())
                add_picture(campaign.id, picture, actor=actor_of(request), now=now())
        except DomainError as error:
            faults.append(str(error))
    return faults


def _use_template(request: MemberRequest, form: CampaignForm, saved: Campaign) -> None:
    """Raises CampaignRefused where words would be lost that nobody said may be."""
    template = form.cleaned_data["template"]
    if template is None:
        raise CampaignRefused("Choose a template first.", field="template")
    former = saved.template_version.body(saved.language) if saved.template_version else ""
    if saved.body.strip() not in ("", former.strip()) and not form.cleaned_data["replace"]:
        raise CampaignRefused("There is a text already. Say below that it may be replaced.", field="template")
    use_template(saved.id, template, actor=actor_of(request), now=now())


def _saved(request: MemberRequest, form: CampaignForm) -> Campaign:
    return save_draft(
        form.content(), origin=form.origin(), overwrite="overwrite" in request.POST, actor=actor_of(request), now=now()
    )


def _composer(
    request: MemberRequest,
    form: CampaignForm,
    *,
    campaign: Campaign | None,
    saved: bool = False,
    conflict: bool = False,
) -> HttpResponse:
    """`saved`: by this very request, so that the form goes on from there."""
    organization = current_organization()
    context = {
        "form": form,
        "campaign": campaign,
        "revision": campaign.revision if saved and campaign else form["revision"].value() or 0,
        "window": uuid4(),
        "conflict": conflict,
        "unsaved": form.is_bound and not saved,
        "title": str(campaign) if campaign else "New campaign",
        "tags": QUICK_TAGS,
        "all_tags": [
            *((tag, tag.replace("_", " ").capitalize()) for tag in TAGS),
            *((f"{CUSTOM}{field.key}", field.name) for field in custom_fields()),
            (STOP_LINK, "Link to stop all texts"),
        ],
        "limit": organization.message_char_limit,
        "link_length": len(short_url(link_base(), "-" * CODE_LENGTH)),
        "organization_word": organization.opt_out_word,
        "may_register": request.member.may(Permission.NUMBERS_REGISTER),
        "programs": programs()[:1],
        "numbers": registered_numbers()[:1],
    }
    if campaign is not None:
        context |= _beside(request, campaign)
    return render(request, "campaigns/compose.html", context)


def _beside(request: MemberRequest, campaign: Campaign) -> dict[str, Any]:
    """The phone and the cost beside the composer."""
    place = number_in(request.POST.get("place", ""))
    _, outreach = with_outreach(campaign.id)
    account = current_account()
    shown = preview(outreach, place=place or 0, now=now())
    return {"preview": shown, "account": account, "money": format_micros(shown.credits * account.plan.price_micros)}


def _quote(campaign: Campaign, outreach: Outreach, *, place: str) -> dict[str, Any]:
    account, progress = current_account(), outreach_progress(outreach.id)
    moment = now()
    starts = max(outreach.starts_at or moment, moment)
    phases = forecast_of(outreach, now=moment)
    bars, width = by_slot(phases, starts=starts, slots=SLOTS)
    tallest = max(bars, default=0)
    lines = left_out_lines(progress)
    cover = cover_of(outreach.credits)
    return {
        "account": account,
        "left_out": lines,
        "audience": progress.audience,
        "widest": max(progress.audience, 1),
        "prices": prices(outreach),
        "money": format_micros(outreach.credits * account.plan.price_micros),
        "phases": phases,
        "bars": [_drawn(slot, bar, tallest) for slot, bar in enumerate(bars)],
        "bars_begin": starts,
        "bars_end": starts + width * SLOTS if phases else starts,
        "sample": example_of(outreach, place, now=moment),
        "examples": [(name, words) for name, words in EXAMPLES.items() if name in outreach.examples],
        "shown": place,
        "missing": max(outreach.credits - account.available, 0),
        "cover": cover,
        "beyond": format_micros((cover.bought + cover.missing) * account.plan.price_micros),
        "advice": advice_for(campaign, outreach, now=moment),
        "held": held_by_hours(outreach, now=moment),
    }


def _drawn(slot: int, people: int, tallest: int) -> tuple[int, float, float, int]:
    """A bar of the chart in a box of 240 by 100: x, y, height, people. An empty one is a line."""
    height = max(round(people * 100 / tallest, 1), 2.0) if tallest else 2.0
    return slot * 10, 100 - height, height, people
