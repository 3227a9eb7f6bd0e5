"""Contacts as a file to take away."""

from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from accounts.rules.permissions import Permission
from common.clock import now
from common.views import MemberRequest, actor_of, member_view, number_in
from contacts.actions import request_export
from contacts.models import ContactList, Export
from content.queries import UNDER_WAY, path_of


@member_view(Permission.CONTACTS_EDIT)
@require_POST
def export_new(request: MemberRequest) -> HttpResponse:
    """Have a file made of those whom the page shows."""
    wanted = number_in(request.POST.get("list", ""))
    chosen = get_object_or_404(ContactList.objects.all(), id=wanted) if wanted is not None else None
    kind = Export.Format.XLSX if request.POST.get("format") == Export.Format.XLSX else Export.Format.CSV
    search = request.POST.get("q", "").replace("\x00", "").strip()
    made = request_export(format=kind, search=search, contact_list=chosen, actor=actor_of(request), now=now())
    return redirect("contacts:export", made.id)


@member_view(Permission.CONTACTS_EDIT)
def export_state(request: MemberRequest, export_id: int) -> HttpResponse:
    """Progress while the file is written, the file afterwards."""
    found = get_object_or_404(Export.objects.select_related("job", "file", "contact_list"), id=export_id)
    running = found.job.state in UNDER_WAY
    template = "contacts/export_state.html" if request.htmx else "contacts/export.html"
    return render(request, template, {"export": found, "running": running})


@member_view(Permission.CONTACTS_EDIT)
def export_file(request: MemberRequest, export_id: int) -> HttpResponseBase:
    found = get_object_or_404(Export.objects.select_related("file"), id=export_id)
    if found.file is None:
        raise Http404
    return FileResponse(path_of(found.file).open("rb"), as_attachment=True, filename=found.file.name)
