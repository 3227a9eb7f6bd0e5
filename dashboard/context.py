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
    Entry("Inbox", "inbox:list", Permission.CONVERSATIONS_VIEW),
    Entry("Contacts", "contacts:list", Permission.CONTACTS_VIEW),
    Entry("Programs", "consent:programs", Permission.PROGRAMS_VIEW),
    Entry("Numbers", "senders:numbers", Permission.NUMBERS_VIEW),
    Entry("Billing", "billing:ledger", Permission.BILLING_VIEW),
)


THEME_COOKIE = "theme"


def _is_current(path: str, url: str) -> bool:
    return path == url if url == "/" else path.startswith(url)


def navigation(request: HttpRequest) -> dict[str, Any]:
    """The links that the member may follow, with the current one marked."""
    member = getattr(request, "member", None)
    theme = {"theme": "dark" if request.COOKIES.get(THEME_COOKIE) == "dark" else "light"}
    if not member:
        return theme | {"navigation": []}
    return theme | {
        "member": member,
        "navigation": [
            {
                "label": entry.label,
                "url": reverse(entry.url_name),
                "current": _is_current(request.path, reverse(entry.url_name)),
            }
            for entry in NAVIGATION
            if member.may(entry.permission)
        ],
    }
