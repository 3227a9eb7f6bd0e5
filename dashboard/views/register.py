"""The consent register, and evidence packs."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.queries import current_organization
from accounts.rules.permissions import Permission
from common.clock import now
from common.phones import InvalidPhone, to_e164
from common.views import MemberRequest, actor_of, member_view
from consent.queries import (
    consent_panel,
    last_check,
    newest_differences,
    newest_entries,
    newest_statements,
    register_of,
)
from contacts.queries import contacts_of
from dashboard.actions import make_evidence_pack


@member_view(Permission.CONTACTS_VIEW)
def register(request: MemberRequest) -> HttpResponse:
    """Who agreed to what, when and how: of one phone, or the newest records."""
    wanted = request.GET.get("phone", "").strip()
    phone = _phone(wanted)
    context = {
        "wanted": wanted,
        "phone": phone,
        "entries": register_of(phone) if phone else newest_entries(),
        "statements": [] if phone else newest_statements(),
        "differences": [] if phone else newest_differences(),
        "panel": consent_panel(phone) if phone else None,
        "contact": contacts_of([phone]).get(phone) if phone else None,
        "check": last_check(),
        "may_take": request.member.may(Permission.CONTACTS_EDIT),
    }
    return render(request, "consent/register.html", context)


@member_view(Permission.CONTACTS_EDIT)
@require_POST
def evidence_pack(request: MemberRequest) -> HttpResponse:
    """Everything that proves what a phone agreed to, as a ZIP."""
    phone = _phone(request.POST.get("phone", "").strip())
    if not phone:
        messages.error(request, "Enter a phone number with its area code.")
        return redirect(reverse("dashboard:register"))
    pack = make_evidence_pack(phone, actor=actor_of(request), now=now())
    response = HttpResponse(pack, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="evidence-{phone.lstrip("+")}.zip"'
    return response


def _phone(text: str) -> str:
    """A phone as E.164; empty where it is none."""
    try:
        return to_e164(text, country=current_organization().default_country) if text else ""
    except InvalidPhone:
        return ""
