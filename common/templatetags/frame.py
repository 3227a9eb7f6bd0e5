"""How times, phones and states are written on every page."""

from datetime import datetime

from django import template
from django.utils import timezone

from common.clock import now
from common.phones import for_people

register = template.Library()

# What a state is called for people, and its colour (static/css/carillon.css).
_STATES: dict[str, tuple[str, str]] = {
    "DRAFT": ("Draft", "quiet"),
    "QUOTED": ("Draft", "quiet"),
    "AWAITING_APPROVAL": ("Waits for approval", "orange"),
    "SCHEDULED": ("Scheduled", "blue"),
    "SENDING": ("Sending", "green"),
    "OPEN": ("Sending", "green"),
    "PAUSED": ("Paused", "orange"),
    "COMPLETED": ("Completed", "quiet"),
    "CLOSED": ("Completed", "quiet"),
    "CANCELED": ("Canceled", "red"),
    "FAILED": ("Failed", "red"),
    "UNREGISTERED": ("Not registered", "orange"),
    "PENDING": ("In review", "blue"),
    "REGISTERED": ("Registered", "green"),
    "REJECTED": ("Rejected", "red"),
    "SUSPENDED": ("Suspended", "red"),
    "SUBMITTED": ("Handed in", "blue"),
    "IN_REVIEW": ("In review", "blue"),
    "CHANGES_REQUESTED": ("Changes wanted", "orange"),
    "SENT_TO_CARRIER": ("With the carrier", "blue"),
    "APPROVED": ("Approved", "green"),
}


@register.inclusion_tag("partials/badge.html")
def state(value: str) -> dict[str, str]:
    """The badge of a state, such as `{% state campaign.state %}`."""
    words, tone = _STATES[value]
    return {"words": words, "tone": tone}


@register.inclusion_tag("partials/badge.html")
def badge(words: str, tone: str = "quiet") -> dict[str, str]:
    """Any other badge; tone is green, blue, orange, red or quiet."""
    return {"words": words, "tone": tone}


@register.filter
def when(at: datetime | None) -> str:
    """`Nov 22, 09:12 EST`, in the organization's zone; with the year where it is another one."""
    if at is None:
        return ""
    local = timezone.localtime(at)
    year = "" if local.year == timezone.localtime(now()).year else f" {local.year}"
    return f"{local:%b} {local.day}{year}, {local:%H:%M} {local:%Z}"


@register.filter
def until(at: datetime) -> str:
    """`22:49` today, else as `when` writes it."""
    local = timezone.localtime(at)
    return f"{local:%H:%M}" if local.date() == timezone.localtime(now()).date() else when(at)


@register.filter
def phone(value: str) -> str:
    """`(888) 555-0142`."""
    return for_people(value)


@register.filter
def share(part: int, whole: int) -> str:
    """`98.4 %`; nothing where there is no whole."""
    return f"{part * 100 / whole:.1f} %" if whole else ""


@register.filter
def words(name: str) -> str:
    """`First name` for `first_name`."""
    return name.replace("_", " ").capitalize()
