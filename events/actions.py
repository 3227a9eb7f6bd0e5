"""Writing events, and handing them to their consumers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.sql import oldest_open_transaction
from common.tenancy import across_organizations, current_organization_id, organization_scope
from events.models import Cursor, Event

BATCH = 500


@dataclass(frozen=True, slots=True)
class Consumer:
    """Who hears which kinds of events. `handle` runs in the event's scope; its failure stops this consumer there."""

    name: str
    kinds: frozenset[str]
    handle: Callable[[Event], None]


_consumers: dict[str, Consumer] = {}


def register_consumer(consumer: Consumer) -> None:
    """Called once for each consumer by the composition root."""
    _consumers[consumer.name] = consumer


def consumers() -> Mapping[str, Consumer]:
    return _consumers


def publish(*, kind: str, payload: dict[str, Any], now: datetime) -> None:
    """Write an event into the outbox, in the transaction of the action that calls."""
    publish_all(kind=kind, payloads=[payload], now=now)


def publish_all(*, kind: str, payloads: Sequence[dict[str, Any]], now: datetime) -> None:
    """The same for many of a kind at once."""
    organization_id = current_organization_id()
    Event.objects.bulk_create(
        Event(organization_id=organization_id, kind=kind, payload=payload, occurred_at=now) for payload in payloads
    )


def deliver(consumer: Consumer) -> int:
    """Hand the next events to the consumer, in order and each once; return how many it was given.

    Cursor and effects are committed together: a crash repeats nothing and loses nothing.
    """
    with across_organizations(because="a consumer reads the events of every organization"):
        Cursor.objects.get_or_create(consumer=consumer.name)
        cursor = Cursor.objects.select_for_update(skip_locked=True).filter(consumer=consumer.name).first()
        if cursor is None:
            return 0
        events = _next_events(cursor, consumer)
        for event in events:
            with organization_scope(event.organization_id):
                consumer.handle(event)
            cursor.transaction_id, cursor.event_id = event.transaction_id, event.id
        if events:
            cursor.save(update_fields=["transaction_id", "event_id"])
        return len(events)


def _next_events(cursor: Cursor, consumer: Consumer) -> list[Event]:
    events = Event.objects.filter(kind__in=consumer.kinds, transaction_id__lt=oldest_open_transaction())
    after = events.extra(where=["(transaction_id, id) > (%s, %s)"], params=[cursor.transaction_id, cursor.event_id])
    return list(after.order_by("transaction_id", "id")[:BATCH])
