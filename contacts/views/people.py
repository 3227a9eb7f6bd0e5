"""The table of contacts, and lists."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from accounts.actions import choose_columns
from accounts.queries import chosen_columns
from accounts.rules.permissions import Permission
from common.clock import now
from common.errors import DomainError
from common.phones import for_people
from common.views import MemberRequest, actor_of, confirmation, member_view, number_in, refusals_on
from contacts.actions import (
    add_to_list,
    clear_phone,
    create_contact,
    create_list,
    delete_contact,
    list_named,
    remove_from_list,
    save_contact,
)
from contacts.forms import ContactForm, ListForm
from contacts.models import Contact, ContactList, ContactPhone
from contacts.queries import (
    contact_lists,
    contact_page,
    contact_rows,
    custom_fields,
    list_size,
    list_sizes,
    newest_imports,
)
from contacts.rules.table import LABELS, columns_of
from content.rules.rendering import CUSTOM


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
    context = _page(request, list_id=found.id) | {"list": found, "size": list_size(found.id), "lists": contact_lists()}
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
        chosen = _chosen(request)
        added = add_to_list(target, chosen, actor=actor_of(request), now=now())
        stopped = sum(row.opted_out for row in contact_rows(chosen))
        still = f" {stopped} of the chosen said STOP: they are not texted on any list." if stopped else ""
        messages.success(request, f"{added} more on “{target}”.{still}")
    except DomainError as error:
        messages.error(request, str(error))
    return redirect(_back(request))


def _back(request: MemberRequest) -> str:
    """The page that somebody came from."""
    back = request.headers.get("referer", "")
    return back if url_has_allowed_host_and_scheme(back, {request.get_host()}) else reverse("contacts:list")


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
    return table_of(request) | {
        "page": page,
        "search": search,
        "may_edit": request.member.may(Permission.CONTACTS_EDIT),
    }


def table_of(request: MemberRequest, *, own: list[tuple[str, str]] | None = None) -> dict[str, object]:
    """The columns that the person sees, and those that could be; `own` are the own fields, where they are known."""
    if own is None:
        own = [(f"{CUSTOM}{row.key}", row.name) for row in custom_fields()]
    columns = columns_of(chosen_columns(request.member.user_id), own)
    return {"columns": columns, "all_columns": [(*one, one in columns) for one in (*LABELS.items(), *own)]}


@member_view(Permission.CONTACTS_VIEW)
@require_POST
def choose(request: MemberRequest) -> HttpResponse:
    """Show other columns; none is the usual ones."""
    own = {f"{CUSTOM}{row.key}" for row in custom_fields()}
    chosen = [one for one in request.POST.getlist("column") if one in LABELS or one in own]
    choose_columns(chosen, user_id=request.member.user_id)
    return redirect(_back(request))


def _chosen(request: MemberRequest) -> list[int]:
    return [found for value in request.POST.getlist("chosen") if (found := number_in(value)) is not None]


@member_view(Permission.CONTACTS_EDIT)
def contact_new(request: MemberRequest) -> HttpResponse:
    """A contact made by hand."""
    form = ContactForm(request.POST or None, contact=None, own=list(custom_fields()))
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            made = create_contact(form.content(), actor=actor_of(request), now=now())
        if form.is_valid():
            messages.success(request, f"{made} is there. Nobody is texted before their agreement is noted.")
            return redirect("dashboard:contact", made.id)
    return render(request, "contacts/edit.html", {"form": form, "contact": None})


@member_view(Permission.CONTACTS_EDIT)
def contact_edit(request: MemberRequest, contact_id: int) -> HttpResponse:
    """Change what is known of a person."""
    found = get_object_or_404(Contact.objects.all(), id=contact_id)
    form = ContactForm(request.POST or None, contact=found, own=list(custom_fields()))
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            save_contact(found.id, form.content(), actor=actor_of(request), now=now())
        if form.is_valid():
            messages.success(request, "Saved.")
            return redirect("dashboard:contact", found.id)
    return render(request, "contacts/edit.html", {"form": form, "contact": found})


@member_view(Permission.CONTACTS_EDIT)
def contact_delete(request: MemberRequest, contact_id: int) -> HttpResponse:
    """Forget a person."""
    found = get_object_or_404(Contact.objects.all(), id=contact_id)
    if request.method == "POST":
        delete_contact(found.id, actor=actor_of(request), now=now())
        messages.success(request, f"{found} is deleted.")
        return redirect("contacts:list")
    return confirmation(
        request,
        title=f"Delete {found}?",
        words="Name, phones and everything you know of this person are removed, and they leave every list. The proof "
        "of what they agreed to, their opt-out and the texts that were sent stay, by the phone number.",
        submit="Delete the contact",
        back=reverse("dashboard:contact", args=[found.id]),
        danger=True,
    )


@member_view(Permission.CONTACTS_EDIT)
@require_POST
def phone_clear(request: MemberRequest, phone_id: int) -> HttpResponse:
    """Say that a phone can be texted after all."""
    found = get_object_or_404(ContactPhone.objects.all(), id=phone_id)
    cleared = clear_phone(found.id, actor=actor_of(request), now=now())
    messages.success(request, f"{for_people(cleared.phone)} is texted again.")
    return redirect("dashboard:contact", cleared.contact_id)
