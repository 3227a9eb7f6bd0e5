"""Home: credits, what is under way, what to do next."""

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from accounts.rules.permissions import Permission
from billing.queries import current_account
from campaigns.queries import campaign_rows, deliverability
from common.views import MemberRequest, member_view
from dashboard.queries import first_tasks

NEWEST = 5


def home(request: HttpRequest) -> HttpResponseBase:
    """Staff without an organization begin at their queue; everybody else at their own figures."""
    staff = getattr(request.user, "staff_role", "")
    if staff and not cast(MemberRequest, request).member:
        return redirect("dashboard:staff")
    return _home(request)


@member_view(Permission.HOME_VIEW)
def _home(request: MemberRequest) -> HttpResponse:
    sees_campaigns = request.member.may(Permission.CAMPAIGNS_VIEW)
    tasks = first_tasks() if request.member.may(Permission.CAMPAIGNS_CREATE) else []
    context = {
        "account": current_account(),
        "rows": campaign_rows(limit=NEWEST, department_id=request.member.department_id) if sees_campaigns else [],
        "deliverability": deliverability() if sees_campaigns else None,
        "tasks": tasks,
        "may_bill": request.member.may(Permission.BILLING_VIEW),
        "to_do": sum(not task.done for task in tasks),
    }
    return render(request, "dashboard/home.html", context)


home.permission = Permission.HOME_VIEW  # type: ignore[attr-defined]
