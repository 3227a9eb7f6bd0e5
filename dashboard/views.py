from django.http import HttpResponse
from django.shortcuts import render

from accounts.rules.permissions import Permission
from billing.queries import current_account
from campaigns.queries import campaigns
from common.views import MemberRequest, member_view

NEWEST = 5


@member_view(Permission.HOME_VIEW)
def home(request: MemberRequest) -> HttpResponse:
    """Credits, and the newest campaigns for those who may see them."""
    newest = list(campaigns()[:NEWEST]) if request.member.may(Permission.CAMPAIGNS_VIEW) else []
    context = {"account": current_account(), "campaigns": newest}
    return render(request, "dashboard/home.html", context)


def health(request: MemberRequest) -> HttpResponse:
    """For load balancers: the process answers."""
    return HttpResponse("ok", content_type="text/plain")
