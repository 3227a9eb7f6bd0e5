"""What the frame around every page shows."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from accounts.queries import Member, open_notices
from accounts.rules.permissions import Permission
from common.tenancy import in_scope_of
from inbox.queries import unread_conversations


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
    Entry("Lists", "contacts:lists", Permission.CONTACTS_VIEW),
    Entry("Target groups", "dashboard:groups", Permission.CONTACTS_VIEW),
    Entry("Templates", "dashboard:templates", Permission.TEMPLATES_USE),
    Entry("Programs", "consent:programs", Permission.PROGRAMS_VIEW),
    Entry("Consent register", "dashboard:register", Permission.CONTACTS_VIEW),
    Entry("Numbers", "senders:numbers", Permission.NUMBERS_VIEW),
    Entry("Settings", "dashboard:settings", Permission.SETTINGS_EDIT),
    Entry("Billing", "dashboard:ledger", Permission.BILLING_VIEW),
)
STAFF_NAVIGATION = (("Staff queue", "dashboard:staff"), ("Style guide", "dashboard:styleguide"))

THEME_COOKIE = "theme"
NOTICES = 5


def navigation(request: HttpRequest) -> dict[str, Any]:
    """The links that the person may follow, with the current one marked; notices; what can be switched to."""
    counts: dict[str, tuple[int, str]] = {}
    context: dict[str, Any] = {"theme": "dark" if request.COOKIES.get(THEME_COOKIE) == "dark" else "light"}
    links = _links(request)
    belonging = getattr(request, "belonging", None)
    if belonging:
        context |= {"belonging": belonging, "member": belonging.member}
        if in_scope_of(belonging.member.organization_id):  # staff look at another one
            context["notices"] = list(open_notices(belonging.member)[:NOTICES])
            found = len(context["notices"])
            counts[reverse("dashboard:home")] = (found, "notice" if found == 1 else "notices")
            if belonging.member.may(Permission.CONVERSATIONS_VIEW):
                context["unread"] = unread_conversations(department_id=belonging.member.department_id)
                counts[reverse("inbox:list")] = (context["unread"], "unread")
    current = max((url for _, url in links if _is_current(request.path, url)), key=len, default="")
    return context | {
        "navigation": [
            {"label": label, "url": url, "current": url == current, "count": counts.get(url)} for label, url in links
        ]
    }


def _links(request: HttpRequest) -> list[tuple[str, str]]:
    member: Member | None = getattr(request, "member", None)
    links = [(entry.label, reverse(entry.url_name)) for entry in NAVIGATION if member and _shown(entry, member)]
    if getattr(getattr(request, "user", None), "staff_role", ""):
        links += [(label, reverse(name)) for label, name in STAFF_NAVIGATION]
    return links


def _shown(entry: Entry, member: Member) -> bool:
    if entry.permission is Permission.CAMPAIGNS_VIEW and not member.campaigns_enabled:  # A1
        return False
    return member.may(entry.permission)


def _is_current(path: str, url: str) -> bool:
    return path == url if url == "/" else path.startswith(url)
