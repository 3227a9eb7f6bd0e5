from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from accounts.rules.permissions import Permission
from common.clock import now
from common.phones import for_people
from common.views import MemberRequest, actor_of, member_view, number_in, refusals_on
from consent.actions import WroteAgain, resolve_possible_opt_out
from consent.queries import is_opted_out, may_want_to_stop, possible_opt_outs
from contacts.queries import contacts_of
from content.queries import known_version, newest_version, templates
from inbox.actions import mark_read, reply
from inbox.forms import ReplyForm
from inbox.models import Conversation
from inbox.queries import conversation_page, lines_of, words_of


@member_view(Permission.CONVERSATIONS_VIEW)
def conversation_list(request: MemberRequest) -> HttpResponse:
    """The conversations of the department in view, the newest text first."""
    to_decide = request.GET.get("show") == "to-decide"
    page = conversation_page(
        department_id=request.member.department_id, before=request.GET.get("before", ""), to_decide=to_decide
    )
    context = {"page": page, "to_decide": to_decide, "undecided": possible_opt_outs()}
    return render(request, "inbox/list.html", context)


@member_view(Permission.CONVERSATIONS_VIEW)
def conversation(request: MemberRequest, conversation_id: int) -> HttpResponse:
    """Everything between one number and one phone."""
    found = get_object_or_404(Conversation.objects.all(), id=conversation_id)
    if not request.htmx:  # a poll is no reader
        mark_read(found.id)
    initial: dict[str, Any] = {}
    wanted = number_in(request.GET.get("template", ""))
    template = templates(request.member.user_id).filter(id=wanted).first() if wanted else None
    if template is not None:
        version = newest_version(template)
        initial = {"body": words_of(version, found), "template_version": version.id}
    return _page(request, found, ReplyForm(initial=initial))


@member_view(Permission.CONVERSATIONS_REPLY)
@require_POST
def reply_in(request: MemberRequest, conversation_id: int) -> HttpResponse:
    found = get_object_or_404(Conversation.objects.all(), id=conversation_id)
    form = ReplyForm(request.POST)
    if form.is_valid():
        with refusals_on(form):
            reply(
                found,
                body=form.cleaned_data["body"],
                form_id=str(form.cleaned_data["form_id"]),
                template_version_id=known_version(form.cleaned_data["template_version"]),
                actor=actor_of(request),
                now=now(),
            )
    if form.is_valid():
        return redirect("inbox:conversation", found.id)
    return _page(request, found, form)


@member_view(Permission.CONVERSATIONS_REPLY)
@require_POST
def decide(request: MemberRequest, conversation_id: int) -> HttpResponse:
    """Whether somebody who may want to stop does."""
    found = get_object_or_404(Conversation.objects.all(), id=conversation_id)
    answer = request.POST.get("stops")
    if answer not in ("yes", "no"):
        messages.error(request, "Say whether they want to stop: choose one of the two.")
        return redirect("inbox:conversation", found.id)
    try:
        stopped = resolve_possible_opt_out(
            found.phone,
            stops=answer == "yes",
            inbound_sid=request.POST.get("read", ""),
            actor=actor_of(request),
            now=now(),
        )
    except WroteAgain as error:
        messages.error(request, str(error))
        return redirect("inbox:conversation", found.id)
    words = "is not texted any more." if stopped else "is texted again as before."
    messages.success(request, f"{for_people(found.phone)} {words}")
    return redirect("inbox:conversation", found.id)


def _page(request: MemberRequest, found: Conversation, form: ReplyForm) -> HttpResponse:
    context: dict[str, Any] = {"conversation": found, "lines": lines_of(found)}
    if request.htmx:
        return render(request, "inbox/lines.html", context)
    contact = contacts_of([found.phone]).get(found.phone)
    context |= {
        "contact": contact,
        "name": str(contact) if contact else "",
        "opted_out": is_opted_out(found.phone),
        "may_stop": may_want_to_stop([found.phone]).get(found.phone),
        "form": form,
        "templates": templates(request.member.user_id),
        "may_reply": request.member.may(Permission.CONVERSATIONS_REPLY),
    }
    return render(request, "inbox/conversation.html", context)
