"""Writes of conversations."""

from datetime import datetime

from django.db.models import F

from common.actor import Actor
from common.tenancy import current_organization_id
from inbox.models import Conversation
from messaging.actions.replies import queue_reply
from messaging.models import InboundText
from senders.models import SenderNumber


def reply(
    conversation: Conversation,
    *,
    body: str,
    form_id: str,
    actor: Actor,
    now: datetime,
    template_version_id: int | None = None,
) -> None:
    """Answer in a conversation, maybe with words that began as a template. Raises ReplyRefused or NotEnoughCredits."""
    number = SenderNumber.objects.get(id=conversation.sender_number_id)
    queue_reply(
        number,
        conversation.phone,
        body=body,
        form_id=form_id,
        template_version_id=template_version_id,
        actor=actor,
        now=now,
    )


def mark_read(conversation_id: int) -> None:
    """Somebody has looked at it."""
    Conversation.objects.filter(id=conversation_id, unread__gt=0).update(unread=0)


def note_inbound(inbound_id: int) -> None:
    """Bring an inbound text into its conversation."""
    text = InboundText.objects.get(id=inbound_id)
    conversation, _ = Conversation.objects.get_or_create(
        organization_id=current_organization_id(),
        sender_number_id=text.sender_number_id,
        phone=text.phone,
        defaults={"last_text": text.body, "last_received_at": text.received_at},
    )
    Conversation.objects.filter(id=conversation.id).update(
        last_text=text.body, last_received_at=text.received_at, unread=F("unread") + 1
    )
