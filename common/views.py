"""The one way into a page of a tenant: signed in, a member, permitted, in scope."""

import contextlib
from collections.abc import Callable, Iterator
from functools import wraps
from ipaddress import ip_address
from typing import Any, Protocol, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django_htmx.middleware import HtmxDetails

from common.actor import Actor
from common.errors import DomainError
from common.tenancy import organization_scope

LONGEST_NUMBER = 19
"""Digits that a bigint surely holds, and one more."""


class MemberLike(Protocol):
    """A signed-in person in one organization (accounts.queries.Member)."""

    user_id: int
    organization_id: int
    organization_name: str
    time_zone: str
    department_id: int | None

    def may(self, permission: Any) -> bool: ...


class MemberRequest(HttpRequest):
    """A request of a member: what a decorated view gets."""

    member: MemberLike
    htmx: HtmxDetails


View = Callable[..., HttpResponseBase]


def number_in(text: str) -> int | None:
    """A whole number of an address or a form; None where it is none, or longer than any id."""
    return int(text) if text.isdecimal() and len(text) < LONGEST_NUMBER else None


def actor_of(request: HttpRequest) -> Actor:
    """Who does what this request asks for."""
    return Actor(label=str(request.user), user_id=request.user.pk)


def visitor_address(request: HttpRequest) -> str:
    """Where a request comes from, behind a proxy as that tells it (settings.VISITOR_HEADER); empty: no address."""
    told = request.headers.get(settings.VISITOR_HEADER, "") if settings.VISITOR_HEADER else ""
    found = told.rpartition(",")[2].strip() or request.META.get("REMOTE_ADDR", "")
    # Some proxies tell the port as well: 203.0.113.9:4711, [2001:db8::9]:4711.
    host = urlsplit(f"//{found}").hostname if found.startswith("[") or found.count(":") == 1 else found
    try:
        return str(ip_address(host or ""))
    except ValueError:
        return ""


def public_address(path: str) -> str:
    """The whole address of a page of ours as it is printed, framed and scanned: not of the host that was asked."""
    return f"{settings.SITE_URL.rstrip('/')}{path}"


@contextlib.contextmanager
def refusals_on(form: forms.BaseForm) -> Iterator[None]:
    """Run an action; where it refuses, nothing of it stays and the form says why, at the field that it names."""
    try:
        with transaction.atomic():
            yield
    except DomainError as error:
        field = error.facts.get("field")
        form.add_error(str(field) if field in form.fields else None, str(error))


def confirmation(
    request: HttpRequest, *, title: str, words: str, submit: str, back: str, danger: bool = False
) -> HttpResponse:
    """Ask before something that cannot be undone; `words` name the consequence in figures.

    A dialog where a script asked for it, a page of its own elsewhere; confirming is a POST to the same address.
    """
    context = {"title": title, "words": words, "submit": submit, "back": back, "danger": danger}
    return render(request, "confirm.html", context)


def staff_view(*roles: str) -> Callable[[View], View]:
    """Decorate a view of the platform's staff: sign-in for the anonymous, 403 for everybody else. No scope is open."""

    def decorate(view: View) -> View:
        @_signed_in
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if getattr(request.user, "staff_role", "") not in roles:
                raise PermissionDenied
            return view(request, *args, **kwargs)

        guarded.staff_roles = roles  # type: ignore[attr-defined]
        return guarded

    return decorate


def _signed_in(view: View) -> View:
    """Sign-in for the anonymous; a script that asks in the background is told so instead, and what was typed stays."""

    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.headers.get("HX-Request") and not request.user.is_authenticated:
            return HttpResponse(status=401)
        return login_required(view)(request, *args, **kwargs)

    return asked


def member_view(permission: str) -> Callable[[View], View]:
    """Decorate a function view: sign-in for the anonymous, 403 without the permission, else the member's scope.

    Times are shown in the organization's zone.
    """

    def decorate(view: View) -> View:
        @_signed_in
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            member = cast(MemberRequest, request).member
            if not member or not member.may(permission):
                raise PermissionDenied
            with organization_scope(member.organization_id), timezone.override(ZoneInfo(member.time_zone)):
                return view(request, *args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]
        return guarded

    return decorate
