"""The switches of the frame around every page."""

from typing import cast

from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from accounts.actions import dismiss_notice
from accounts.middleware import DEPARTMENT_KEY, ORGANIZATION_KEY
from accounts.queries import Member, members_of_user
from accounts.rules.permissions import Permission
from common.clock import now
from common.views import MemberRequest, member_view, number_in
from dashboard.context import THEME_COOKIE

ONE_YEAR = 365 * 24 * 3600


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Light or dark, remembered by this browser."""
    dark = request.COOKIES.get(THEME_COOKIE) == "dark"
    response = redirect(_back(request))
    response.set_cookie(THEME_COOKIE, "light" if dark else "dark", max_age=ONE_YEAR, samesite="Lax")
    return response


@member_view(Permission.HOME_VIEW)
@require_POST
def switch_organization(request: MemberRequest) -> HttpResponse:
    """Go over to another organization of the same person; its pages begin at Home."""
    wanted = request.POST.get("organization", "")
    if wanted not in {str(member.organization_id) for member in members_of_user(request.member.user_id)}:
        raise Http404
    request.session[ORGANIZATION_KEY] = int(wanted)
    request.session.pop(DEPARTMENT_KEY, None)
    return redirect("dashboard:home")


@member_view(Permission.HOME_VIEW)
@require_POST
def switch_department(request: MemberRequest) -> HttpResponse:
    """Look at the numbers, campaigns and conversations of one department, or (empty) of all."""
    request.session[DEPARTMENT_KEY] = number_in(request.POST.get("department", ""))
    return redirect(_back(request))


@member_view(Permission.HOME_VIEW)
@require_POST
def dismiss(request: MemberRequest, notice_id: int) -> HttpResponse:
    """Put a notice away for everybody."""
    dismiss_notice(notice_id, member=cast(Member, request.member), now=now())
    return redirect(_back(request))


def _back(request: HttpRequest) -> str:
    page = request.headers.get("referer", "/")
    return page if url_has_allowed_host_and_scheme(page, allowed_hosts={request.get_host()}) else "/"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What could not be read at all: told in words."""
    too_large = isinstance(exception, RequestDataTooBig)
    return render(request, "400.html", {"too_large": too_large}, status=413 if too_large else 400)
