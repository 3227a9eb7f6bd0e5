"""Billing: the balance, what is held, and every movement of credits with what it was for."""

from django.http import HttpResponse
from django.shortcuts import render

from accounts.rules.permissions import Permission
from billing.queries import current_account, entries, orders
from common.money import format_micros
from common.views import MemberRequest, member_view, number_in
from dashboard.queries import purposes


@member_view(Permission.BILLING_VIEW)
def ledger(request: MemberRequest) -> HttpResponse:
    page, next_before = entries(before_id=number_in(request.GET.get("before", "")))
    account = current_account()
    named = purposes([entry.reference for entry in page])
    context = {
        "account": account,
        "entries": [(entry, named[entry.reference]) for entry in page],
        "next_before": next_before,
        "price": format_micros(account.plan.price_micros),
        "orders": [(order, format_micros(order.total_micros)) for order in orders()],
    }
    return render(request, "billing/ledger.html", context)
