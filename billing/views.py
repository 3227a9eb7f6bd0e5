from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from accounts.rules.permissions import Permission
from billing.actions import cancel_order, order_credits
from billing.forms import OrderForm
from billing.models import CreditOrder
from billing.queries import current_account
from common.clock import now
from common.errors import DomainError
from common.money import format_micros
from common.views import MemberRequest, actor_of, confirmation, member_view, number_in, refusals_on


@member_view(Permission.BILLING_VIEW)
def buy(request: MemberRequest) -> HttpResponse:
    """Order credits on invoice."""
    wanted = number_in(request.GET.get("credits", ""))
    form = OrderForm(request.POST or None, initial={"credits": wanted} if wanted else None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            order = order_credits(**form.cleaned_data, actor=actor_of(request), now=now())
        if form.is_valid():
            total = format_micros(order.total_micros)
            messages.success(request, f"Ordered: {order.credits:,} credits for {total}. The invoice is on its way.")
            return redirect("dashboard:ledger")
    price = format_micros(current_account().plan.price_micros)
    title = f"Buy credits at {price} each"
    return render(request, "form.html", {"form": form, "title": title, "submit": "Order on invoice"})


@member_view(Permission.BILLING_VIEW)
def cancel(request: MemberRequest, order_id: int) -> HttpResponse:
    """Take an order back while it is not paid."""
    order = get_object_or_404(CreditOrder.objects.all(), id=order_id)
    if request.method != "POST":
        words = f"{order.credits:,} credits for {format_micros(order.total_micros)}: the invoice is void then."
        return confirmation(
            request,
            title="Take this order back?",
            words=words,
            submit="Take it back",
            back=reverse("dashboard:ledger"),
        )
    try:
        cancel_order(order.id, actor=actor_of(request), now=now())
    except DomainError as error:
        messages.error(request, str(error))
    return redirect("dashboard:ledger")
