"""The import wizard: file, columns and consent, progress, report."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import localdate
from django.views.decorators.http import require_POST

from accounts.queries import current_organization
from accounts.rules.permissions import Permission
from common.clock import now
from common.views import MemberRequest, actor_of, member_view, refusals_on
from consent.queries import programs
from consent.rules.media import Medium
from contacts.actions import FormerWish, ImportWish, cancel_import, keep_upload, request_former, request_import
from contacts.forms import ColumnsForm, FileForm, FormerColumnsForm, FormerFileForm
from contacts.models import Existing, Import
from contacts.queries import (
    contact_lists,
    custom_fields,
    fault_words,
    first_rows,
    guess_of,
    may_undo,
    outlook_of,
    shape_of_upload,
)
from contacts.rules.columns import CUSTOM
from contacts.rules.former import CONSENT_COLUMNS, OPT_OUT_COLUMNS, guess_columns
from content.models import FileKind, StoredFile
from content.queries import UNDER_WAY, path_of


@member_view(Permission.CONTACTS_EDIT)
def import_new(request: MemberRequest) -> HttpResponse:
    """Step 1: the file. It is looked at at once; a refusal keeps nothing."""
    form = FileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        upload = form.cleaned_data["file"]
        with refusals_on(form):
            stored = keep_upload(upload, actor=actor_of(request), now=now())
        if form.is_valid():
            return redirect("contacts:import_columns", stored.id)
    return render(request, "contacts/import_file.html", {"form": form, "programs": programs()[:1]})


@member_view(Permission.CONTACTS_EDIT)
def import_columns(request: MemberRequest, file_id: int) -> HttpResponse:
    """Step 2: what each column holds, seen on the first rows, and how the people agreed."""
    stored = get_object_or_404(StoredFile.objects.filter(kind=FileKind.IMPORT), id=file_id)
    known = Import.objects.filter(file=stored).first()
    if known is not None:
        return redirect("contacts:import", known.id)
    form = ColumnsForm(
        request.POST or None,
        request.FILES or None,
        shape=shape_of_upload(stored),
        guess=guess_of(stored),
        own={f"{CUSTOM}{row.key}": row.name for row in custom_fields()},
        home=current_organization().default_country,
    )
    if request.method == "POST" and not request.htmx and form.is_valid():
        with refusals_on(form):
            requested = request_import(stored, wish_of(form), actor=actor_of(request), now=now())
        if form.is_valid():
            return redirect("contacts:import", requested.id)
    context = {
        "form": form,
        "file": stored,
        "outlook": outlook_of(stored, form.mapping(), country=form.home()),
        "programs": programs()[:1],
        "lists": contact_lists(),
    }
    template = "contacts/import_preview.html" if request.htmx else "contacts/import_columns.html"
    return render(request, template, context)


def wish_of(form: ColumnsForm, *, most_rows: int | None = None, list_name: str = "") -> ImportWish:
    """What was chosen for a file; `list_name` goes before the list that the form names."""
    chosen = form.cleaned_data
    zone = ZoneInfo(current_organization().time_zone)
    return ImportWish(
        program=chosen["program"],
        medium=Medium(chosen["medium"]),
        agreed_at=datetime.combine(chosen["agreed_on"], time(), tzinfo=zone),
        how=chosen["how"],
        mapping=form.mapping(),
        list_name=list_name or chosen["list_name"],
        existing=Existing(chosen["existing"]),
        country=chosen["country"],
        most_rows=most_rows,
        evidence=chosen["evidence"],
    )


@member_view(Permission.CONTACTS_EDIT)
def former_new(request: MemberRequest) -> HttpResponse:
    """Coming from another provider: a file of opt-outs, or of consents."""
    form = FormerFileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            stored = keep_upload(form.cleaned_data["file"], actor=actor_of(request), now=now())
        if form.is_valid():
            return redirect("contacts:former_columns", stored.id, form.cleaned_data["kind"].lower())
    return render(request, "contacts/former_file.html", {"form": form})


@member_view(Permission.CONTACTS_EDIT)
def former_columns(request: MemberRequest, file_id: int, kind: str) -> HttpResponse:
    """What each column is, seen on the first rows."""
    stored = get_object_or_404(StoredFile.objects.filter(kind=FileKind.IMPORT), id=file_id)
    known = Import.objects.filter(file=stored).first()
    if known is not None:
        return redirect("contacts:import", known.id)
    chosen = Import.Kind.CONSENTS if kind == Import.Kind.CONSENTS.lower() else Import.Kind.OPT_OUTS
    shape = shape_of_upload(stored)
    wanted = CONSENT_COLUMNS if chosen == Import.Kind.CONSENTS else OPT_OUT_COLUMNS
    home = current_organization().default_country
    guess = guess_columns(shape.header, wanted)
    form = FormerColumnsForm(request.POST or None, kind=chosen, shape=shape, guess=guess, home=home)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            requested = request_former(stored, _former_wish(form, chosen), actor=actor_of(request), now=now())
        if form.is_valid():
            return redirect("contacts:import", requested.id)
    context = {
        "form": form,
        "file": stored,
        "title": "Opt-outs" if chosen == Import.Kind.OPT_OUTS else "Consents",
        "consents": chosen == Import.Kind.CONSENTS,
        "rows": first_rows(stored, 3),
        "programs": programs()[:1],
    }
    return render(request, "contacts/former_columns.html", context)


def _former_wish(form: FormerColumnsForm, kind: Import.Kind) -> FormerWish:
    chosen, zone = form.cleaned_data, ZoneInfo(current_organization().time_zone)
    until, end = chosen.get("stopped_by"), None
    if until is not None:
        end = datetime.combine(until, time(23, 59, 59), tzinfo=zone)
        end = min(end, now()) if until <= localdate(now()) else end  # a later day is refused
    return FormerWish(
        kind=kind,
        mapping=form.mapping(),
        country=chosen["country"],
        stopped_by=end,
        program=chosen.get("program"),
        how=chosen.get("how", ""),
    )


@member_view(Permission.CONTACTS_VIEW)
def import_report(request: MemberRequest, import_id: int) -> HttpResponse:
    """Step 3: progress while it runs, the report afterwards."""
    found = get_object_or_404(
        Import.objects.select_related("job", "undo_job", "file", "error_file", "contact_list"), id=import_id
    )
    undoing = found.undo_job is not None and found.undo_job.state in UNDER_WAY
    context = {
        "import": found,
        "running": found.job.state in UNDER_WAY,
        "undoing": undoing,
        "faults": fault_words(found.faults),
        "may_undo": request.member.may(Permission.CONTACTS_EDIT) and may_undo(found, now=now()),
        "may_edit": request.member.may(Permission.CONTACTS_EDIT),
    }
    template = "contacts/import_state.html" if request.htmx else "contacts/import.html"
    return render(request, template, context)


@member_view(Permission.CONTACTS_EDIT)
@require_POST
def import_cancel(request: MemberRequest, import_id: int) -> HttpResponse:
    """Stop an import that is under way."""
    get_object_or_404(Import.objects.all(), id=import_id)
    cancel_import(import_id, actor=actor_of(request), now=now())
    return redirect("contacts:import", import_id)


@member_view(Permission.CONTACTS_VIEW)
def import_errors(request: MemberRequest, import_id: int) -> HttpResponseBase:
    """The rows that were left out, as a file: the original columns, and why."""
    found = get_object_or_404(Import.objects.select_related("error_file"), id=import_id)
    if found.error_file is None:
        raise Http404
    return FileResponse(path_of(found.error_file).open("rb"), as_attachment=True, filename=found.error_file.name)
