"""Templates: texts to use again, in campaigns and in answers."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from accounts.rules.permissions import Permission
from common.clock import now
from common.views import MemberRequest, actor_of, confirmation, member_view, refusals_on
from contacts.queries import custom_field_keys
from content.actions import create_template, delete_template, save_template
from content.models import Template
from content.queries import newest_version, newest_versions, template_labels, templates
from content.rules.languages import LANGUAGES
from dashboard.forms import TemplateForm


@member_view(Permission.TEMPLATES_USE)
def template_list(request: MemberRequest) -> HttpResponse:
    """Shared ones and one's own; found by words, narrowed by label."""
    search, label, whose = (request.GET.get(name, "") for name in ("q", "label", "whose"))
    found = list(templates(request.member.user_id, search=search, label=label, own=whose == "own"))
    versions = newest_versions([template.id for template in found])
    rows = []
    for template in found:
        version = versions[template.id]
        languages = [LANGUAGES[code] for code in version.bodies]
        rows.append((template, version.body(template.default_language), languages))
    context = {
        "rows": rows,
        "labels": template_labels(request.member.user_id),
        "search": search,
        "label": label,
        "whose": whose,
    }
    return render(request, "dashboard/templates.html", context)


@member_view(Permission.TEMPLATES_USE)
def template_new(request: MemberRequest) -> HttpResponse:
    return _edit(request, None)


@member_view(Permission.TEMPLATES_USE)
def template_edit(request: MemberRequest, template_id: int) -> HttpResponse:
    """A template's words in each language. Who may not share looks at shared ones and changes their own."""
    return _edit(request, _template(request, template_id))


@member_view(Permission.TEMPLATES_USE)
def template_delete(request: MemberRequest, template_id: int) -> HttpResponse:
    """Asked first; drafts and sent texts keep their words."""
    template = _template(request, template_id)
    if not _may_change(request, template):
        messages.error(request, "Shared templates are deleted by those who may share them: ask an administrator.")
        return redirect("dashboard:template", template.id)
    if request.method == "POST":
        delete_template(template.id, actor=actor_of(request), now=now())
        messages.success(request, f"“{template}” is deleted.")
        return redirect("dashboard:templates")
    times = f"It was used {template.uses:,} time{'' if template.uses == 1 else 's'}."
    return confirmation(
        request,
        title=f"Delete “{template}”?",
        words=f"{times} Drafts and texts that came from it keep their words; nobody can use it again.",
        submit="Delete the template",
        back=request.path.removesuffix("delete/"),
        danger=True,
    )


def _edit(request: MemberRequest, template: Template | None) -> HttpResponse:
    may_share = request.member.may(Permission.TEMPLATES_SHARE)
    may_change = template is None or _may_change(request, template)
    form = TemplateForm(
        request.POST or None,
        template=template,
        version=newest_version(template) if template else None,
        may_share=may_share,
    )
    if request.method == "POST" and not may_change:
        form.add_error(
            None, "This template is shared: those who may share change it. Save your own under another name."
        )
    if request.method == "POST" and form.is_valid():
        content, keys = form.content(), custom_field_keys()
        with refusals_on(form):
            if template is None:
                template = create_template(content, custom_fields=keys, actor=actor_of(request), now=now())
            else:
                save_template(
                    template.id,
                    content,
                    based_on=form.cleaned_data["version"],
                    custom_fields=keys,
                    actor=actor_of(request),
                    now=now(),
                )
        if form.is_valid():
            messages.success(request, f"“{template}” is kept.")
            if request.POST.get("then") == "language":
                return redirect("dashboard:template", template.id)
            return redirect("dashboard:templates")
    context = {"form": form, "template": template, "may_change": may_change}
    return render(request, "dashboard/template.html", context)


def _template(request: MemberRequest, template_id: int) -> Template:
    # Deleted while it is written in: the words are taken all the same, and the refusal says what to do with them.
    known = templates(request.member.user_id, deleted=request.method == "POST")
    found: Template = get_object_or_404(known, id=template_id)
    return found


def _may_change(request: MemberRequest, template: Template) -> bool:
    return template.owner_id == request.member.user_id or request.member.may(Permission.TEMPLATES_SHARE)
