from io import BytesIO
from typing import Any

import segno
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.rules.permissions import Permission
from common.clock import now
from common.views import MemberRequest, actor_of, member_view, public_address, refusals_on
from consent.actions import change_program, create_program, request_link_check
from consent.forms import ProgramForm
from consent.models import Program
from consent.queries import programs
from consent.rules.disclosure import Item, check_opt_in, offered_opt_in
from consent.rules.media import Level
from senders.models import NumberStatus, SenderNumber
from senders.queries import registered_numbers, registrable_numbers


@member_view(Permission.PROGRAMS_VIEW)
def program_list(request: MemberRequest) -> HttpResponse:
    may_edit = request.member.may(Permission.PROGRAMS_EDIT)
    return render(request, "consent/programs.html", {"programs": programs(), "may_edit": may_edit})


@member_view(Permission.PROGRAMS_VIEW)
def program_detail(request: MemberRequest, program_id: int) -> HttpResponse:
    """What a program says, and the ways into it: words, public page, QR codes."""
    program = get_object_or_404(Program.objects.all(), id=program_id)
    numbers = {number.id: number for number in registered_numbers()}
    words = [(word, numbers.get(word.sender_number_id)) for word in program.keywords.order_by("id")]
    context = {
        "program": program,
        "versions": program.versions.order_by("-version"),
        "words": words,
        "page": _page_address(program),
        "script": _page_address(program, name="join_script"),
        "texted": _texted(program),
        "lacking": _lacking(program),
        "may_edit": request.member.may(Permission.PROGRAMS_EDIT),
    }
    return render(request, "consent/program.html", context)


@member_view(Permission.PROGRAMS_EDIT)
def program_new(request: MemberRequest) -> HttpResponse:
    return _edit(request, None)


@member_view(Permission.PROGRAMS_EDIT)
def program_edit(request: MemberRequest, program_id: int) -> HttpResponse:
    return _edit(request, get_object_or_404(Program.objects.all(), id=program_id))


def _edit(request: MemberRequest, program: Program | None) -> HttpResponse:
    form = _form(request, program, request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        values: dict[str, Any] = {
            "name": said["name"],
            "level": Level(said["level"]),
            "brand": said["brand"] or request.member.organization_name,
            "opt_in_text": said["opt_in_text"],
            "details": form.details(),
            "actor": actor_of(request),
            "now": now(),
        }
        with refusals_on(form):
            saved = change_program(program.id, **values) if program else create_program(**values)
            request_link_check(saved)
            messages.success(request, f"“{saved.name}” is saved.")
            program = saved
        if form.is_valid() and program is not None:
            return redirect("consent:program", program.id)
    context = {
        "form": form,
        "program": program,
        "title": f"Change “{program.name}”" if program else "New program",
        "checks": form.checks() if form.is_bound else {},
        "offered": "" if form["opt_in_text"].value() else offered_opt_in(form.offer(form.initial)),
    }
    return render(request, "consent/program_edit.html", context)


@member_view(Permission.PROGRAMS_EDIT)
@require_POST
def program_check(request: MemberRequest) -> HttpResponse:
    """What the texts say and lack, while they are typed."""
    form = _form(request, None, request.POST)
    offered = "" if request.POST.get("opt_in_text", "").strip() else offered_opt_in(form.offer())
    checks = form.checks()
    missing = sum(item.missing for items in checks.values() for item in items)
    return render(request, "consent/checks.html", {"checks": checks, "missing": missing, "offered": offered})


@member_view(Permission.PROGRAMS_VIEW)
def program_code(request: MemberRequest, program_id: int, what: str, ending: str) -> HttpResponse:
    """A QR code of the public page or of a word, as SVG or PNG."""
    program = get_object_or_404(Program.objects.all(), id=program_id)
    page = _page_address(program)
    content = (f"{page}?by=qr" if page else "") if what == "page" else _texted(program)
    if not content or ending not in ("svg", "png"):
        raise Http404
    code = segno.make(content, error="m")
    drawn = BytesIO()
    code.save(drawn, kind=ending, scale=10 if ending == "png" else 4, border=4)
    response = HttpResponse(drawn.getvalue(), content_type="image/svg+xml" if ending == "svg" else "image/png")
    response["Content-Disposition"] = f'inline; filename="{what}-{program.id}.{ending}"'
    return response


def _lacking(program: Program) -> list[Item]:
    """What the words that people agree to do not say."""
    return [item for item in check_opt_in(program.opt_in_text, program.offer()) if item.missing]


def _texted(program: Program) -> str:
    """What a phone's camera makes of the first word that works: a text to the number, ready to send."""
    numbers = {number.id: number.sender for number in registered_numbers()}
    works = (word for word in program.keywords.order_by("id") if word.sender_number_id in numbers)
    word = next(works, None)
    return f"SMSTO:{numbers[word.sender_number_id]}:{word.word.upper()}" if word else ""


def _page_address(program: Program, *, name: str = "join") -> str:
    if program.form_sender_number_id is None:
        return ""
    return public_address(reverse(f"dashboard:{name}", args=[program.form_key]))


def _number_words(number: SenderNumber) -> str:
    return str(number) if number.status == NumberStatus.REGISTERED else f"{number} (may not text at the moment)"


def _form(request: MemberRequest, program: Program | None, data: Any) -> ProgramForm:
    numbers = [(number.id, _number_words(number)) for number in registrable_numbers()]
    return ProgramForm(data, numbers=numbers, organization=request.member.organization_name, program=program)
