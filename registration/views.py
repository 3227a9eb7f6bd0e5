from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render

from accounts.rules.permissions import Permission
from common.clock import now
from common.views import MemberRequest, actor_of, member_view, refusals_on
from content.actions import store_evidence
from content.queries import path_of
from registration.actions import submit_registration
from registration.forms import RegistrationForm
from registration.models import EDITABLE
from registration.queries import newest_registration, steps_of
from senders.models import SenderNumber
from senders.queries import registrable_numbers


@member_view(Permission.NUMBERS_REGISTER)
def register(request: MemberRequest, number_id: int) -> HttpResponse:
    """The questionnaire of a number while it can be changed, and every step so far."""
    number = get_object_or_404(registrable_numbers(), id=number_id)
    found = newest_registration(number.id)
    editable = found is None or found.state in EDITABLE
    answers = ("use_case", "sample_text", "opt_in_type")
    form = RegistrationForm(
        request.POST or None,
        request.FILES or None,
        initial={name: getattr(found, name) for name in answers} if found else {},
        has_evidence=bool(found and found.evidence_id),
    )
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            upload = form.cleaned_data["evidence"]
            submit_registration(
                number=number,
                use_case=form.cleaned_data["use_case"],
                sample_text=form.cleaned_data["sample_text"],
                opt_in_type=form.cleaned_data["opt_in_type"],
                evidence=store_evidence(upload, actor=actor_of(request), now=now()) if upload else None,
                actor=actor_of(request),
                now=now(),
            )
        if form.is_valid():
            messages.success(request, f"The registration of {number} is handed in. You see each step here.")
            return redirect("registration:register", number.id)
    context = {
        "number": number,
        "registration": found,
        "form": form if editable else None,
        "steps": steps_of(found) if found else [],
    }
    return render(request, "registration/register.html", context)


@member_view(Permission.NUMBERS_REGISTER)
def evidence(request: MemberRequest, number_id: int) -> HttpResponseBase:
    """The document as it was uploaded."""
    found = newest_registration(get_object_or_404(SenderNumber.objects.all(), id=number_id).id)
    if found is None or found.evidence is None:
        raise Http404
    return FileResponse(
        path_of(found.evidence).open("rb"),
        as_attachment=True,
        filename=found.evidence.name,
        content_type=found.evidence.content_type,
    )
