from datetime import datetime, time
from zoneinfo import ZoneInfo

from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render

from accounts.queries import current_organization
from accounts.rules.permissions import Permission
from common.clock import now
from common.views import MemberRequest, actor_of, member_view, refusals_on
from consent.rules.media import Medium
from contacts.actions import request_import
from contacts.forms import ImportForm
from contacts.models import Import
from contacts.queries import contact_page, newest_imports
from content.actions import store_file
from content.models import FileKind, Job
from content.queries import path_of

REFRESH_SECONDS = "1"


@member_view(Permission.CONTACTS_VIEW)
def contact_list(request: MemberRequest) -> HttpResponse:
    """Contacts with search over name, company and phone; the next page begins after the last contact shown."""
    search = request.GET.get("q", "").strip()
    after = request.GET.get("after", "")
    page = contact_page(search=search, after_id=int(after) if after.isdecimal() else 0)
    context = {"page": page, "search": search, "imports": newest_imports()}
    return render(request, "contacts/list.html", context)


@member_view(Permission.CONTACTS_EDIT)
def import_new(request: MemberRequest) -> HttpResponse:
    """Choose a file and state the consent; a refusal changes nothing."""
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        upload, zone = form.cleaned_data["file"], ZoneInfo(current_organization().time_zone)
        agreed_at = datetime.combine(form.cleaned_data["agreed_on"], time(), tzinfo=zone)
        with refusals_on(form):
            stored = store_file(
                kind=FileKind.IMPORT,
                name=upload.name,
                content_type="text/csv",
                chunks=upload.chunks(),
                actor=actor_of(request),
                now=now(),
            )
            requested = request_import(
                file=stored,
                program=form.cleaned_data["program"],
                medium=Medium(form.cleaned_data["medium"]),
                agreed_at=agreed_at,
                how=form.cleaned_data["how"],
                list_name=form.cleaned_data["list_name"],
                actor=actor_of(request),
                now=now(),
            )
        if form.is_valid():
            return redirect("contacts:import", requested.id)
    return render(request, "form.html", {"form": form, "title": "Import contacts", "submit": "Import"})


@member_view(Permission.CONTACTS_VIEW)
def import_report(request: MemberRequest, import_id: int) -> HttpResponse:
    """Progress while it runs, the report afterwards."""
    found = get_object_or_404(Import.objects.select_related("job", "file", "error_file"), id=import_id)
    running = found.job.state in (Job.State.WAITING, Job.State.RUNNING)
    response = render(request, "contacts/import.html", {"import": found, "running": running})
    if running:
        response["Refresh"] = REFRESH_SECONDS
    return response


@member_view(Permission.CONTACTS_VIEW)
def import_errors(request: MemberRequest, import_id: int) -> HttpResponseBase:
    """The rows that were left out, as a file: the original columns, and why."""
    found = get_object_or_404(Import.objects.select_related("error_file"), id=import_id)
    if found.error_file is None:
        raise Http404
    return FileResponse(path_of(found.error_file).open("rb"), as_attachment=True, filename=found.error_file.name)
