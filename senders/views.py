from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts.rules.permissions import Permission
from common.clock import now
from common.views import MemberRequest, actor_of, member_view, refusals_on
from senders.actions import request_number
from senders.forms import NumberRequestForm
from senders.models import SenderKind
from senders.queries import newest_number_request, numbers


@member_view(Permission.NUMBERS_VIEW)
def number_list(request: MemberRequest) -> HttpResponse:
    """The numbers, each with what can be done with it, and what became of the last wish for one."""
    context = {
        "numbers": numbers(department_id=request.member.department_id),
        "wish": newest_number_request(),
        "may_register": request.member.may(Permission.NUMBERS_REGISTER),
    }
    return render(request, "senders/numbers.html", context)


@member_view(Permission.NUMBERS_REGISTER)
def number_request(request: MemberRequest) -> HttpResponse:
    form = NumberRequestForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            request_number(
                kind=SenderKind(form.cleaned_data["kind"]),
                wish=form.cleaned_data["wish"],
                department=form.cleaned_data["department"],
                actor=actor_of(request),
                now=now(),
            )
        if form.is_valid():
            messages.success(request, "Your wish is with our staff. You are told here as soon as the number is yours.")
            return redirect("senders:numbers")
    return render(request, "form.html", {"form": form, "title": "Ask for a number", "submit": "Ask for it"})
