from django.http import HttpResponse
from django.shortcuts import render

from accounts.rules.permissions import Permission
from billing.queries import current_account, entries
from common.money import format_micros
from common.views import MemberRequest, member_view


@member_view(Permission.BILLING_VIEW)
def ledger(request: MemberRequest) -> HttpResponse:
    """Balance, what is held, and every movement of credits."""
    before = request.GET.get("before", "")
    page, next_before = entries(before_id=int(before) if before.isdecimal() else None)
    account = current_account()
    context = {
        "account": account,
        "entries": page,
        "next_before": next_before,
        "price": format_micros(account.plan.price_micros),
    }
    return render(request, "billing/ledger.html", context)
