from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from accounts.rules.permissions import Permission
from common.views import MemberRequest, member_view
from consent.queries import is_opted_out
from inbox.actions import mark_read
from inbox.models import Conversation
from inbox.queries import conversations, lines_of


@member_view(Permission.CONVERSATIONS_VIEW)
def conversation_list(request: MemberRequest) -> HttpResponse:
    return render(request, "inbox/list.html", {"conversations": conversations()})


@member_view(Permission.CONVERSATIONS_VIEW)
def conversation(request: MemberRequest, conversation_id: int) -> HttpResponse:
    """Everything between one number and one phone."""
    found = get_object_or_404(Conversation.objects.all(), id=conversation_id)
    mark_read(found.id)
    context = {"conversation": found, "lines": lines_of(found), "opted_out": is_opted_out(found.phone)}
    return render(request, "inbox/conversation.html", context)
