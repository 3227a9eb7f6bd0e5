"""What the frame around every page shows."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from accounts.rules.permissions import Permission


@dataclass(frozen=True, slots=True)
class Entry:
    label: str
    url_name: str
    permission: Permission


NAVIGATION = (
    Entry("Home", "dashboard:home", Permission.HOME_VIEW),
    Entry("Campaigns", "campaigns:list", Permission.CAMPAIGNS_VIEW),
)


def navigation(request: HttpRequest) -> dict[str, Any]:
    """The links that the member may follow, with the current one marked."""
    member = getattr(request, "member", None)
    if not member:
        return {"navigation": []}
    return {
        "member": member,
        "navigation": [
            {"label": entry.label, "url": reverse(entry.url_name), "current": request.path == reverse(entry.url_name)}
            for entry in NAVIGATION
            if member.may(entry.permission)
        ],
    }
