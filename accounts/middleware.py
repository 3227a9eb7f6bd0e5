"""Which organization a signed-in person is in."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from accounts.queries import Member, members_of_user

SESSION_KEY = "organization_id"


class MemberMiddleware:
    """Puts `request.member` on every request: the person in the chosen organization, or None."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.member = SimpleLazyObject(lambda: _member(request))  # type: ignore[attr-defined]
        return self._get_response(request)


def _member(request: HttpRequest) -> Member | None:
    if not request.user.is_authenticated:
        return None
    members = members_of_user(request.user.id)
    chosen = request.session.get(SESSION_KEY)
    return next((member for member in members if member.organization_id == chosen), members[0] if members else None)
