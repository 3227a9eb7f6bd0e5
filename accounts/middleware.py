"""Which organization and department a signed-in person is in."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from accounts.queries import Belonging, belonging_of_user

ORGANIZATION_KEY = "organization_id"
DEPARTMENT_KEY = "department_id"


class MemberMiddleware:
    """Puts `request.belonging` and `request.member` on each request: the person in the organization chosen, or None."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        belonging = SimpleLazyObject(lambda: _belonging(request))
        request.belonging = belonging  # type: ignore[attr-defined]
        request.member = SimpleLazyObject(lambda: belonging.member if belonging else None)  # type: ignore[attr-defined]
        return self._get_response(request)


def _belonging(request: HttpRequest) -> Belonging | None:
    if not request.user.is_authenticated:
        return None
    return belonging_of_user(
        request.user.id,
        organization_id=request.session.get(ORGANIZATION_KEY),
        department_id=request.session.get(DEPARTMENT_KEY),
    )
