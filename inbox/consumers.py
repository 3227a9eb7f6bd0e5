"""What the inbox hears."""

from events.models import Event
from inbox.actions import note_inbound


def on_text_received(event: Event) -> None:
    note_inbound(event.payload["inbound_id"])
