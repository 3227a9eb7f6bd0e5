"""Something done to everybody whom a page shows, and how far it is."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from accounts.rules.permissions import Permission
from audiences.actions import request_listing
from audiences.models import TargetGroup
from audiences.queries import Selection
from common.clock import now
from common.errors import DomainError
from common.views import MemberRequest, actor_of, member_view, number_in
from contacts.actions import list_named
from contacts.models import ContactList
from content.models import Job
from content.queries import UNDER_WAY


@member_view(Permission.CONTACTS_EDIT)
@require_POST
def bulk(request: MemberRequest) -> HttpResponse:
    """Put everybody who is shown, on this page and the next ones, on a list."""
    of_list, of_group = (number_in(request.POST.get(name, "")) for name in ("of_list", "of_group"))
    for wanted, known in ((of_list, ContactList.objects.all()), (of_group, TargetGroup.objects.all())):
        if wanted is not None:
            get_object_or_404(known, id=wanted)
    search = request.POST.get("q", "").replace("\x00", "").strip()[:200]
    target_id = number_in(request.POST.get("list", ""))
    try:
        if target_id is not None:
            target = get_object_or_404(ContactList.objects.all(), id=target_id)
        else:
            target = list_named(request.POST.get("new_list", ""), now=now())
        selection = Selection(search, of_list, of_group)
        job = request_listing(selection, contact_list=target, actor=actor_of(request), now=now())
    except DomainError as error:
        messages.error(request, str(error))
        return redirect("contacts:list")
    return redirect("dashboard:bulk_state", job.id)


@member_view(Permission.CONTACTS_VIEW)
def bulk_state(request: MemberRequest, job_id: int) -> HttpResponse:
    """Progress, and in the end what has been done."""
    job = get_object_or_404(Job.objects.filter(kind="contacts.list"), id=job_id)
    context = {"job": job, "running": job.state in UNDER_WAY, "failed": job.state == Job.State.FAILED}
    return render(request, "dashboard/bulk_state.html" if request.htmx else "dashboard/bulk.html", context)
