"""Who hears which events: the only place that knows both ends."""

from events.actions import Consumer, register_consumer
from inbox.consumers import on_text_received


def register_consumers() -> None:
    """Called once, when the app registry is ready."""
    register_consumer(Consumer("inbox", frozenset({"text.received"}), on_text_received))
