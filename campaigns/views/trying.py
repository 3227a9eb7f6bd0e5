"""A test of a draft's text, to the phone of the person who asks for it."""

from uuid import uuid4

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts.actions import begin_verification, forget_phone, verify_phone
from accounts.queries import phone_of_user
from accounts.rules.permissions import Permission
from campaigns.actions import check_words, preview
from campaigns.forms import CodeForm, OwnPhoneForm, TestForm
from campaigns.views.compose import with_outreach
from common.clock import now
from common.phones import for_people
from common.views import MemberRequest, actor_of, member_view, refusals_on
from messaging.actions.replies import queue_test


@member_view(Permission.CAMPAIGNS_CREATE)
def campaign_test(request: MemberRequest, campaign_id: int) -> HttpResponse:
    """Name a phone, prove it by a code, send the text to it; each step on this page."""
    campaign, outreach = with_outreach(campaign_id)
    number = campaign.sender_number
    if number is None or not campaign.body.strip():
        messages.error(request, "Choose the number and write the text first. Then a test can be sent.")
        return redirect("campaigns:edit", campaign.id)
    known = phone_of_user(request.member.user_id)
    step = request.POST.get("step", "")
    actor, moment = actor_of(request), now()
    if step == "another":
        forget_phone(actor=actor)
        return redirect("campaigns:test", campaign.id)
    phone_form = OwnPhoneForm(request.POST if step == "phone" else None)
    code_form = CodeForm(request.POST if step == "code" else None)
    test_form = TestForm(request.POST if step == "test" else None, initial={"form_id": uuid4()})
    if step == "phone" and phone_form.is_valid():
        phone = phone_form.cleaned_data["phone"]
        with refusals_on(phone_form):
            code = begin_verification(phone, actor=actor, now=moment)
            words = f"{code} is your code for tests of texts. If you did not ask for it, ignore it."
            if code:
                queue_test(number, phone, body=words, form_id=str(uuid4()), actor=actor, now=moment)
        if phone_form.is_valid():
            return redirect("campaigns:test", campaign.id)
    if step == "code" and code_form.is_valid():
        right = False
        with refusals_on(code_form):
            right = verify_phone(code_form.cleaned_data["code"], actor=actor, now=moment)
        if right:
            return redirect("campaigns:test", campaign.id)
        if not code_form.errors:
            code_form.add_error("code", "This is not the code. Look at your phone and try it again.")
    shown = preview(outreach, place=0, now=moment)
    if step == "test" and test_form.is_valid() and known is not None and known.verified_at is not None:
        with refusals_on(test_form):
            check_words(campaign)
            queue_test(
                number,
                known.phone,
                body=shown.text,
                form_id=str(test_form.cleaned_data["form_id"]),
                media_ids=campaign.media_ids,
                actor=actor,
                now=moment,
            )
        if test_form.is_valid():
            messages.success(request, f"The test is on its way to {for_people(known.phone)}.")
            return redirect("campaigns:edit", campaign.id)
    context = {
        "campaign": campaign,
        "known": known,
        "phone_form": phone_form,
        "code_form": code_form,
        "test_form": test_form,
        "preview": shown,
    }
    return render(request, "campaigns/test.html", context)
