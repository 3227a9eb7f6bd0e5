"""Writes of conversations."""

from django.db.models import F

from common.tenancy import current_organization_id
from inbox.models import Conversation
from messaging.models import InboundText


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
