"""Target groups: conditions that say who belongs, and how many do."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from accounts.rules.permissions import Permission
from audiences.actions import save_group
from audiences.forms import Builder
from audiences.models import TargetGroup
from audiences.queries import (
    EXACT_WITHIN_MS,
    Counted,
    count_fitting,
    count_people,
    group_page,
    predicate_of,
    questions,
    target_groups,
)
from audiences.rules.conditions import Group, GroupRefused, conditions_in, from_json
from audiences.rules.questions import EVENTS, IMPORT, Question, words_of
from campaigns.queries import campaigns_by_name
from common.clock import now
from common.errors import DomainError
from common.views import MemberRequest, actor_of, confirmation, member_view, number_in
from contacts.queries import contact_names, imports_by_name
from contacts.views.people import table_of
from content.rules.rendering import CUSTOM
from dashboard.actions import delete_target_group

SHOWN = 10
PATIENCE_MS = 5_000
"""How long the exact count of a large group may take, when the page is there already."""


@member_view(Permission.CONTACTS_VIEW)
def group_list(request: MemberRequest) -> HttpResponse:
    """Every target group with its conditions in words."""
    found = [(row, from_json(row.conditions)) for row in target_groups()]
    asked = _questions([conditions for _, conditions in found])
    rows = [(row, _words(conditions, asked)) for row, conditions in found]
    return render(request, "dashboard/groups.html", {"rows": rows, "may_edit": _may_edit(request)})


@member_view(Permission.CONTACTS_VIEW)
def group_detail(request: MemberRequest, group_id: int) -> HttpResponse:
    """What a group asks, how many fit at this moment, and who they are."""
    found = get_object_or_404(TargetGroup.objects.all(), id=group_id)
    conditions = from_json(found.conditions)
    asked = _questions([conditions])
    own = [(key, question.label) for key, question in asked.items() if key.startswith(CUSTOM)]
    context = table_of(request, own=own) | {
        "group": found,
        "words": _words(conditions, asked),
        "may_edit": _may_edit(request),
        "may_send": request.member.may(Permission.CAMPAIGNS_CREATE),
        "lists": [{"id": value, "name": name} for value, name in asked["list"].options or ()],
    }
    try:
        fitting = predicate_of(conditions, now=now(), group_id=group_id, known=asked)
    except GroupRefused as error:
        context |= {"counted": None, "unfinished": str(error)}
    else:
        after = number_in(request.GET.get("after", "")) or 0
        context |= {"counted": count_fitting(fitting), "page": group_page(fitting, after_id=after)}
    return render(request, "dashboard/group.html", context)


@member_view(Permission.CONTACTS_VIEW)
def group_count(request: MemberRequest, group_id: int) -> HttpResponse:
    """The count of a large group, exactly, while its page is read already."""
    found = get_object_or_404(TargetGroup.objects.all(), id=group_id)
    counted = _counted(from_json(found.conditions), group_id=group_id, within_ms=PATIENCE_MS)
    return render(request, "dashboard/group_count.html", counted | {"waited": True})


@member_view(Permission.CONTACTS_EDIT)
def group_new(request: MemberRequest) -> HttpResponse:
    """An empty builder."""
    return _edit(request, None)


@member_view(Permission.CONTACTS_EDIT)
def group_edit(request: MemberRequest, group_id: int) -> HttpResponse:
    """The builder with a group in it."""
    return _edit(request, get_object_or_404(TargetGroup.objects.all(), id=group_id))


@member_view(Permission.CONTACTS_EDIT)
def group_delete(request: MemberRequest, group_id: int) -> HttpResponse:
    """Asked first; nobody is deleted with it."""
    found = get_object_or_404(TargetGroup.objects.all(), id=group_id)
    if request.method == "POST":
        try:
            delete_target_group(found.id, actor=actor_of(request), now=now())
        except DomainError as error:
            messages.error(request, str(error))
            return redirect("dashboard:group", found.id)
        messages.success(request, f"“{found}” is deleted.")
        return redirect("dashboard:groups")
    return confirmation(
        request,
        title=f"Delete “{found}”?",
        words="Its conditions are forgotten. The people in it stay among your contacts, and what was sent stays sent.",
        submit="Delete the target group",
        back=reverse("dashboard:group", args=[found.id]),
        danger=True,
    )


def _edit(request: MemberRequest, group: TargetGroup | None) -> HttpResponse:
    kept = from_json(group.conditions) if group is not None else None
    asked = _questions([kept] if kept is not None else [], offer=True, besides=group.id if group else None)
    name, fault, fault_at = group.name if group else "", "", ""
    if request.method == "POST":
        builder, name = Builder.posted(asked, request.POST), request.POST.get("name", "")
        if request.POST.get("do") == "save":
            try:
                saved = save_group(
                    builder.group, name=name, group_id=group.id if group else None, actor=actor_of(request), now=now()
                )
            except GroupRefused as error:
                fault, fault_at = str(error), str(error.facts.get("field", ""))
            else:
                messages.success(request, f"“{saved}” is kept.")
                return redirect("dashboard:group", saved.id)
    else:
        builder = Builder(asked, kept) if kept is not None else Builder.empty(asked)
    waited = request.POST.get("do") == "count"  # the page is there, with "about so many"
    context = {
        "kept": group,
        "name": name,
        "fault": fault,
        "name_fault": fault_at == "name",
        "part": builder.parts(),
        "waited": waited,
        **_counted(
            builder.group,
            group_id=group.id if group else None,
            known=asked,
            within_ms=PATIENCE_MS if waited else EXACT_WITHIN_MS,
        ),
    }
    page = "dashboard/group_builder.html" if request.htmx else "dashboard/group_edit.html"
    return render(request, page, context)


def _counted(
    conditions: Group,
    *,
    group_id: int | None,
    known: dict[str, Question] | None = None,
    within_ms: int = EXACT_WITHIN_MS,
) -> dict[str, Any]:
    """How many fit and some of them; what is not whole yet is said in place of it."""
    try:
        counted: Counted = count_people(conditions, now=now(), group_id=group_id, known=known, within_ms=within_ms)
    except GroupRefused as error:
        return {"counted": None, "unfinished": str(error)}
    names = contact_names(counted.examples[:SHOWN])
    return {"counted": counted, "examples": [(one, names[one]) for one in counted.examples[:SHOWN] if one in names]}


def _questions(groups: list[Group], *, offer: bool = False, besides: int | None = None) -> dict[str, Question]:
    """What can be asked, with the names of the campaigns and imports that are asked for; on `offer` the newest too."""
    named: dict[str, set[int]] = {"campaigns": set(), "imports": set()}
    for one in (one for group in groups for one in conditions_in(group)):
        if one.what in EVENTS or one.what == IMPORT:
            ids = named["imports" if one.what == IMPORT else "campaigns"]
            ids.update(found for value in one.values if (found := number_in(value)) is not None)
    return questions(
        campaigns=campaigns_by_name(also=sorted(named["campaigns"])) if offer or named["campaigns"] else None,
        imports=imports_by_name(also=sorted(named["imports"])) if offer or named["imports"] else None,
        besides=besides,
    )


def _words(group: Group, asked: dict[str, Question], depth: int = 0) -> list[tuple[int, str]]:
    """The conditions in words, each with how deep it lies; a group begins with how many of it must hold."""
    lines = [(depth, "All of these:" if group.every else "Any of these:")]
    for one in group.of:
        if isinstance(one, Group):
            lines += _words(one, asked, depth + 1)
        else:
            lines.append((depth + 1, words_of(one, asked.get(one.what))))
    return lines


def _may_edit(request: MemberRequest) -> bool:
    return request.member.may(Permission.CONTACTS_EDIT)
