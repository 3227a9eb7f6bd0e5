"""The organization's own fields: what else is known of people, and what texts can say of them."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from accounts.rules.permissions import Permission
from common.clock import now
from common.views import MemberRequest, actor_of, member_view, refusals_on
from contacts.actions import FieldRefused, change_field, create_field
from contacts.forms import FieldForm
from contacts.models import CustomField
from contacts.queries import custom_fields
from contacts.rules.fields import FieldKind
from content.rules.rendering import CUSTOM


@member_view(Permission.CONTACTS_VIEW)
def fields(request: MemberRequest) -> HttpResponse:
    """Every field with its tag; a new one is made here."""
    may_edit = request.member.may(Permission.CONTACTS_EDIT)
    form = FieldForm(request.POST or None)
    if request.method == "POST" and may_edit and form.is_valid():
        name, kind = form.cleaned_data["name"], FieldKind(form.cleaned_data["kind"])
        with refusals_on(form):
            if custom_fields().filter(name__iexact=name).exists():
                raise FieldRefused(f"There is a field “{name}” already. Choose another name.", field="name")
            made = create_field(name, kind, choices=form.choices(), now=now())
        if form.is_valid():
            messages.success(request, f"“{made}” is there. Texts name it as {{{{ {CUSTOM}{made.key} }}}}.")
            return redirect("contacts:fields")
    rows = [(row, f"{CUSTOM}{row.key}") for row in custom_fields()]
    return render(request, "contacts/fields.html", {"rows": rows, "form": form, "may_edit": may_edit})


@member_view(Permission.CONTACTS_EDIT)
def field_edit(request: MemberRequest, own_id: int) -> HttpResponse:
    """Another name, or other choices."""
    row = get_object_or_404(CustomField.objects.all(), id=own_id)
    form = FieldForm(request.POST or None, row=row)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            change_field(
                row.id, name=form.cleaned_data["name"], choices=form.choices(), actor=actor_of(request), now=now()
            )
        if form.is_valid():
            messages.success(request, "Saved.")
            return redirect("contacts:fields")
    return render(request, "form.html", {"form": form, "title": f"Change “{row}”", "submit": "Save"})
