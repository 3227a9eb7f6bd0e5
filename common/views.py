"""The one way into a page of a tenant: signed in, a member, permitted, in scope."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol, cast

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

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


View = Callable[..., HttpResponse]


def member_view(permission: str) -> Callable[[View], View]:
    """Decorate a function view: sign-in for the anonymous, 403 without the permission, else the member's scope."""

    def decorate(view: View) -> View:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            member = cast(MemberRequest, request).member
            if not member or not member.may(permission):
                raise PermissionDenied
            with organization_scope(member.organization_id):
                return view(request, *args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]
        return guarded

    return decorate
