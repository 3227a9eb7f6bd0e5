"""The consent register, and evidence packs."""

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.actions import audit
from accounts.queries import current_organization
from accounts.rules.permissions import Permission
from common.clock import now
from common.phones import InvalidPhone, to_e164
from common.views import MemberRequest, actor_of, member_view, number_in
from consent.models import Action
from consent.queries import (
    consent_panel,
    last_check,
    newest_differences,
    newest_statements,
    programs,
    register_page,
)
from contacts.queries import contact_page, contacts_of
from content.models import FileKind, StoredFile
from content.queries import path_of
from dashboard.actions import make_evidence_pack

ACTIONS = [(action.value, action.label) for action in (Action.GRANT, Action.WITHDRAW, Action.STOP, Action.START)]


@member_view(Permission.CONTACTS_VIEW)
def register(request: MemberRequest) -> HttpResponse:
    """Who agreed to what, when and how: of one phone, of people with a name, or of everybody, page by page."""
    wanted = request.GET.get("phone", "").strip()
    phone = _phone(wanted)
    program_id, action = number_in(request.GET.get("program", "")), request.GET.get("action", "")
    action = action if action in dict(ACTIONS) else ""
    if phone:
        audit(action="register.read", subject=current_organization(), actor=actor_of(request), now=now(), phone=phone)
    before = request.GET.get("before", "")
    page = register_page(phone=phone, program_id=program_id, action=action, before=before)
    everybody = not phone and not before
    context = {
        "wanted": wanted,
        "phone": phone,
        "people": contact_page(search=wanted).rows[:MOST_PEOPLE] if wanted and not phone else (),
        "entries": page.entries,
        "older": page.older,
        "programs": programs(),
        "program_id": program_id,
        "actions": ACTIONS,
        "action": action,
        "statements": newest_statements() if everybody else [],
        "differences": newest_differences() if everybody else [],
        "panel": consent_panel(phone) if phone else None,
        "contact": contacts_of([phone]).get(phone) if phone else None,
        "check": last_check(),
        "may_take": request.member.may(Permission.CONTACTS_EDIT),
    }
    return render(request, "consent/register.html", context)


MOST_PEOPLE = 20


@member_view(Permission.CONTACTS_VIEW)
def evidence_file(request: MemberRequest, evidence_id: int) -> HttpResponseBase:
    """A file that proves a consent, to keep: what strangers have sent is not shown as a page of ours."""
    found = get_object_or_404(StoredFile.objects.filter(kind=FileKind.EVIDENCE), id=evidence_id)
    path = path_of(found)
    if not path.exists():
        raise Http404
    audit(action="evidence.opened", subject=found, actor=actor_of(request), now=now())
    return FileResponse(path.open("rb"), as_attachment=True, filename=found.name, content_type=found.content_type)


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
