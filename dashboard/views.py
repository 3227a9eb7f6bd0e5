from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from accounts.rules.permissions import Permission
from billing.queries import current_account
from campaigns.queries import campaigns
from common.views import MemberRequest, member_view
from dashboard.context import THEME_COOKIE

NEWEST = 5
ONE_YEAR = 365 * 24 * 3600


@member_view(Permission.HOME_VIEW)
def home(request: MemberRequest) -> HttpResponse:
    """Credits, and the newest campaigns for those who may see them."""
    newest = list(campaigns()[:NEWEST]) if request.member.may(Permission.CAMPAIGNS_VIEW) else []
    context = {"account": current_account(), "campaigns": newest}
    return render(request, "dashboard/home.html", context)


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Light or dark, remembered by this browser."""
    dark = request.COOKIES.get(THEME_COOKIE) == "dark"
    back = request.headers.get("referer", "/")
    target = back if url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}) else "/"
    response = redirect(target)
    response.set_cookie(THEME_COOKIE, "light" if dark else "dark", max_age=ONE_YEAR, samesite="Lax")
    return response


def health(request: HttpRequest) -> HttpResponse:
    """For load balancers: the process answers."""
    return HttpResponse("ok", content_type="text/plain")
