"""The one way into a page of a tenant: signed in, a member, permitted, in scope."""

import contextlib
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, Protocol, cast

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from common.actor import Actor
from common.errors import DomainError
from common.tenancy import organization_scope


class MemberLike(Protocol):
    """A signed-in person in one organization (accounts.queries.Member)."""

    user_id: int
    organization_id: int
    organization_name: str

    def may(self, permission: Any) -> bool: ...


class MemberRequest(HttpRequest):
    """A request of a member: what a decorated view gets."""

    member: MemberLike


View = Callable[..., HttpResponseBase]


def actor_of(request: MemberRequest) -> Actor:
    """Who does what this request asks for."""
    return Actor(label=str(request.user), user_id=request.member.user_id)


@contextlib.contextmanager
def refusals_on(form: forms.BaseForm) -> Iterator[None]:
    """Run an action; where it refuses, nothing of it stays and the form says why."""
    try:
        with transaction.atomic():
            yield
    except DomainError as error:
        form.add_error(None, str(error))


def member_view(permission: str) -> Callable[[View], View]:
    """Decorate a function view: sign-in for the anonymous, 403 without the permission, else the member's scope."""

    def decorate(view: View) -> View:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            member = cast(MemberRequest, request).member
            if not member or not member.may(permission):
                raise PermissionDenied
            with organization_scope(member.organization_id):
                return view(request, *args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]
        return guarded

    return decorate
