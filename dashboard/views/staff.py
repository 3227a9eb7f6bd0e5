"""Pages of the platform's staff. Each look at a tenant's papers is in the tenant's audit log."""

from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from accounts.rules.permissions import StaffRole
from billing.actions import mark_order_paid
from billing.models import CreditOrder
from billing.queries import open_orders
from campaigns.rules.holding import OUTAGE_WORDS
from common.clock import now
from common.errors import DomainError
from common.money import format_micros
from common.tenancy import across_organizations, organization_scope
from common.views import actor_of, confirmation, refusals_on, staff_view
from content.queries import path_of
from dashboard.forms import DeclineNumberForm, GiveNumberForm, VerdictForm
from messaging.queries import outages
from registration.actions import decide_registration, note_staff_look
from registration.models import WITH_STAFF, Registration, RegistrationState
from registration.queries import review_queue, steps_of
from senders.actions import decline_number, give_number
from senders.models import NumberRequest, SenderKind
from senders.queries import open_number_requests, platform_accounts

STAFF = tuple(StaffRole)


@staff_view(*STAFF)
def queue(request: HttpRequest) -> HttpResponse:
    """What waits for staff, longest first: registrations for all of them, numbers and payments for operators."""
    operator = getattr(request.user, "staff_role", "") == StaffRole.OPERATOR
    with across_organizations(because="staff serve every organization"):
        context: dict[str, Any] = {"registrations": list(review_queue()), "operator": operator}
        context["outages"] = [(one, OUTAGE_WORDS[one.answer]) for one in outages(now=now())]
        if operator:
            context["requests"] = list(open_number_requests())
            context["orders"] = [(order, format_micros(order.total_micros)) for order in open_orders()]
    return render(request, "staff/queue.html", context)


@staff_view(*STAFF)
def registration(request: HttpRequest, registration_id: int) -> HttpResponse:
    """One registration with its evidence, and the verdict."""
    organization_id = _organization_of(Registration, registration_id)
    form = VerdictForm(request.POST or None)
    with organization_scope(organization_id):
        found = Registration.objects.select_related("sender_number", "organization", "evidence").get(id=registration_id)
        if request.method == "POST" and form.is_valid():
            with refusals_on(form):
                decide_registration(
                    found.id,
                    verdict=RegistrationState(form.cleaned_data["verdict"]),
                    note=form.cleaned_data["note"],
                    reviewer=actor_of(request),
                    now=now(),
                )
            if form.is_valid():
                messages.success(
                    request, f"{found.organization}: the registration of {found.sender_number} is decided."
                )
                return redirect("dashboard:staff")
        if request.method == "GET":
            note_staff_look(found, actor=actor_of(request), now=now())
        context: dict[str, Any] = {
            "registration": found,
            "steps": list(steps_of(found)),
            "form": form if found.state in WITH_STAFF else None,
        }
        return render(request, "staff/registration.html", context)


@staff_view(*STAFF)
def evidence(request: HttpRequest, registration_id: int) -> HttpResponseBase:
    """The document of a registration."""
    with organization_scope(_organization_of(Registration, registration_id)):
        found = Registration.objects.select_related("evidence").get(id=registration_id)
        if found.evidence is None:
            raise Http404
        note_staff_look(found, actor=actor_of(request), now=now())
        return FileResponse(
            path_of(found.evidence).open("rb"),
            as_attachment=True,
            filename=found.evidence.name,
            content_type=found.evidence.content_type,
        )


@staff_view(StaffRole.OPERATOR)
def number_request(request: HttpRequest, request_id: int) -> HttpResponse:
    """Give the number that was asked for, or say why not."""
    organization_id = _organization_of(NumberRequest, request_id)
    with across_organizations(because="the platform's accounts belong to no organization"):
        accounts = [
            (account.id, f"{account.get_gateway_display()} {account.account_sid}") for account in platform_accounts()
        ]
    declining = "decline" in request.POST
    decline = DeclineNumberForm(request.POST if declining else None)
    with organization_scope(organization_id):
        found = get_object_or_404(NumberRequest.objects.select_related("organization", "department"), id=request_id)
        sent = request.POST if request.POST and not declining else None
        give = GiveNumberForm(sent, kind=SenderKind(found.kind), accounts=accounts)
        form = decline if declining else give
        if request.method == "POST" and form.is_valid():
            facts = dict(form.cleaned_data)
            with refusals_on(form):
                if declining:
                    decline_number(found.id, answer=facts["answer"], actor=actor_of(request), now=now())
                else:
                    give_number(found.id, **facts, actor=actor_of(request), now=now())
            if form.is_valid():
                messages.success(request, f"{found.organization} has been told.")
                return redirect("dashboard:staff")
        context = {
            "wish": found,
            "name": found.kind == SenderKind.ALPHANUMERIC,
            "form": give,
            "decline": decline,
            "open": found.state == NumberRequest.State.OPEN,
        }
        return render(request, "staff/number.html", context)


@staff_view(StaffRole.OPERATOR)
def order_paid(request: HttpRequest, order_id: int) -> HttpResponse:
    """Note the payment of an order."""
    with organization_scope(_organization_of(CreditOrder, order_id)):
        order = CreditOrder.objects.select_related("organization").get(id=order_id)
        if request.method != "POST":
            words = f"{order.organization} gets {order.credits:,} credits at once."
            title = f"Has {format_micros(order.total_micros)} come in?"
            return confirmation(request, title=title, words=words, submit="It is paid", back=reverse("dashboard:staff"))
        try:
            mark_order_paid(order.id, actor=actor_of(request), now=now())
            messages.success(request, f"{order.organization} has its credits.")
        except DomainError as error:
            messages.error(request, str(error))
        return redirect("dashboard:staff")


@staff_view(*STAFF)
def styleguide(request: HttpRequest) -> HttpResponse:
    """Every part that pages are made of, once."""
    return render(request, "staff/styleguide.html", {"form": VerdictForm()})


def _organization_of(model: Any, row_id: int) -> int:
    with across_organizations(because="staff open a tenant's paper by its number"):
        return int(get_object_or_404(model.objects.all(), id=row_id).organization_id)
