"""The import wizard: file, columns and consent, progress, report."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render

from accounts.queries import current_organization
from accounts.rules.permissions import Permission
from common.clock import now
from common.views import MemberRequest, actor_of, member_view, refusals_on
from consent.queries import programs
from consent.rules.media import Medium
from contacts.actions import keep_upload, request_import
from contacts.forms import ColumnsForm, FileForm
from contacts.models import Import
from contacts.queries import preview_of, shape_of_upload
from content.models import FileKind, Job, StoredFile
from content.queries import path_of


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
    form = ColumnsForm(request.POST or None, shape=shape_of_upload(stored))
    if request.method == "POST" and not request.htmx and form.is_valid():
        zone = ZoneInfo(current_organization().time_zone)
        with refusals_on(form):
            requested = request_import(
                file=stored,
                program=form.cleaned_data["program"],
                medium=Medium(form.cleaned_data["medium"]),
                agreed_at=datetime.combine(form.cleaned_data["agreed_on"], time(), tzinfo=zone),
                how=form.cleaned_data["how"],
                list_name=form.cleaned_data["list_name"],
                mapping=form.mapping(),
                actor=actor_of(request),
                now=now(),
            )
        if form.is_valid():
            return redirect("contacts:import", requested.id)
    context = {"form": form, "file": stored, "preview": preview_of(stored, form.mapping()), "programs": programs()[:1]}
    template = "contacts/import_preview.html" if request.htmx else "contacts/import_columns.html"
    return render(request, template, context)


@member_view(Permission.CONTACTS_VIEW)
def import_report(request: MemberRequest, import_id: int) -> HttpResponse:
    """Step 3: progress while it runs, the report afterwards."""
    found = get_object_or_404(Import.objects.select_related("job", "file", "error_file", "contact_list"), id=import_id)
    running = found.job.state in (Job.State.WAITING, Job.State.RUNNING)
    template = "contacts/import_state.html" if request.htmx else "contacts/import.html"
    return render(request, template, {"import": found, "running": running})


@member_view(Permission.CONTACTS_VIEW)
def import_errors(request: MemberRequest, import_id: int) -> HttpResponseBase:
    """The rows that were left out, as a file: the original columns, and why."""
    found = get_object_or_404(Import.objects.select_related("error_file"), id=import_id)
    if found.error_file is None:
        raise Http404
    return FileResponse(path_of(found.error_file).open("rb"), as_attachment=True, filename=found.error_file.name)
