"""The table of contacts, and lists."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from accounts.rules.permissions import Permission
from common.clock import now
from common.errors import DomainError
from common.views import MemberRequest, actor_of, member_view, number_in, refusals_on
from contacts.actions import add_to_list, create_list, list_named, remove_from_list
from contacts.forms import ListForm
from contacts.models import ContactList
from contacts.queries import contact_lists, contact_page, list_size, list_sizes, newest_imports


@member_view(Permission.CONTACTS_VIEW)
def contact_list(request: MemberRequest) -> HttpResponse:
    """Contacts with search over name, company and phone; the next page begins after the last contact shown."""
    context = _page(request) | {"imports": newest_imports(), "lists": contact_lists()}
    return render(request, "contacts/list.html", context)


@member_view(Permission.CONTACTS_VIEW)
def lists(request: MemberRequest) -> HttpResponse:
    """Every list with its size; a new one is made here."""
    may_edit = request.member.may(Permission.CONTACTS_EDIT)
    form = ListForm(request.POST or None)
    if request.method == "POST" and may_edit and form.is_valid():
        with refusals_on(form):
            made = create_list(name=form.cleaned_data["name"], actor=actor_of(request), now=now())
        if form.is_valid():
            messages.success(request, f"“{made}” is there. Choose people in Contacts and add them to it.")
            return redirect("contacts:lists")
    sizes = list_sizes()
    rows = [(found, sizes.get(found.id, 0)) for found in contact_lists()]
    return render(request, "contacts/lists.html", {"rows": rows, "form": form, "may_edit": may_edit})


@member_view(Permission.CONTACTS_VIEW)
def list_detail(request: MemberRequest, list_id: int) -> HttpResponse:
    """Who is on a list."""
    found = get_object_or_404(ContactList.objects.all(), id=list_id)
    context = _page(request, list_id=found.id) | {"list": found, "size": list_size(found.id)}
    return render(request, "contacts/list_detail.html", context)


@member_view(Permission.CONTACTS_EDIT)
@require_POST
def add_chosen(request: MemberRequest) -> HttpResponse:
    """Put the chosen contacts on a list, one that is there or a new one."""
    try:
        wanted = number_in(request.POST.get("list", ""))
        if wanted is not None:
            target = get_object_or_404(ContactList.objects.all(), id=wanted)
        else:
            target = list_named(request.POST.get("new_list", ""), now=now())
        added = add_to_list(target, _chosen(request), actor=actor_of(request), now=now())
        messages.success(request, f"{added} more on “{target}”.")
    except DomainError as error:
        messages.error(request, str(error))
    back = request.headers.get("referer", "")
    return redirect(back if url_has_allowed_host_and_scheme(back, {request.get_host()}) else "contacts:list")


@member_view(Permission.CONTACTS_EDIT)
@require_POST
def remove_chosen(request: MemberRequest, list_id: int) -> HttpResponse:
    """Take the chosen contacts off a list."""
    found = get_object_or_404(ContactList.objects.all(), id=list_id)
    removed = remove_from_list(found, _chosen(request), actor=actor_of(request), now=now())
    messages.success(request, f"{removed} taken off “{found}”. They are still among your contacts.")
    return redirect("contacts:list_detail", found.id)


def _page(request: MemberRequest, *, list_id: int | None = None) -> dict[str, object]:
    search, after_id = request.GET.get("q", "").strip(), number_in(request.GET.get("after", ""))
    page = contact_page(search=search, after_id=after_id or 0, list_id=list_id)
    return {"page": page, "search": search, "may_edit": request.member.may(Permission.CONTACTS_EDIT)}


def _chosen(request: MemberRequest) -> list[int]:
    return [found for value in request.POST.getlist("chosen") if (found := number_in(value)) is not None]
