"""Reads of conversations."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Q, QuerySet

from accounts.queries import current_organization
from common.sql import fetch_all
from common.tenancy import current_organization_id
from consent.models import PossibleOptOut
from consent.queries import may_want_to_stop
from contacts.queries import contacts_of, custom_field_keys, tag_values
from content.models import TemplateVersion
from content.rules.rendering import compile_template
from inbox.models import Conversation
from messaging.rules.states import WORDS
from senders.queries import numbers

PAGE = 50
LINES = 200


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """A line of the inbox; `name` is the contact's, empty where the phone is nobody's."""

    conversation: Conversation
    name: str
    may_stop: bool = False


@dataclass(frozen=True, slots=True)
class InboxPage:
    """`next_before` is where the next page begins: the time of the last row and its id; empty: there is none."""

    rows: tuple[ConversationRow, ...]
    next_before: str


def conversation_page(*, department_id: int | None, before: str = "", to_decide: bool = False) -> InboxPage:
    """The conversations that were written in last, of all numbers or of a department's.

    `to_decide`: only with people who may want to stop.
    """
    found = _in_department(department_id).order_by("-last_received_at", "-id")
    if to_decide:
        found = found.filter(phone__in=PossibleOptOut.objects.filter(resolved_at=None).values("phone"))
    with contextlib.suppress(ValueError):  # no place that we gave: the first page
        at, _, last_id = before.partition("_")
        moment = datetime.fromisoformat(at).astimezone(UTC)
        found = found.filter(Q(last_received_at__lt=moment) | Q(last_received_at=moment, id__lt=int(last_id)))
    page = list(found[: PAGE + 1])
    shown = page[:PAGE]
    phones = [conversation.phone for conversation in shown]
    names, waiting = contacts_of(phones), may_want_to_stop(phones)
    rows = tuple(
        ConversationRow(one, str(names[one.phone]) if one.phone in names else "", one.phone in waiting) for one in shown
    )
    more = len(page) > PAGE
    return InboxPage(rows, f"{shown[-1].last_received_at.isoformat()}_{shown[-1].id}" if more else "")


def unread_conversations(*, department_id: int | None) -> int:
    """How many conversations hold something that nobody has read."""
    return _in_department(department_id).filter(unread__gt=0).count()


def conversation_with(phones: Sequence[str]) -> Conversation | None:
    """The newest conversation with one of the phones."""
    return Conversation.objects.filter(phone__in=phones).order_by("-last_received_at").first()


def _in_department(department_id: int | None) -> QuerySet[Conversation]:
    found = Conversation.objects.all()
    if department_id is None:
        return found
    return found.filter(sender_number_id__in=numbers(department_id=department_id).values("id"))


def words_of(version: TemplateVersion, conversation: Conversation) -> str:
    """A template as it reads for the person of a conversation, in their language; what nobody knows is left out."""
    contact = contacts_of([conversation.phone]).get(conversation.phone)
    template = compile_template(
        version.body(contact.language if contact else ""),
        custom_fields=custom_field_keys(),
        constants={"organization": current_organization().name},
    )
    return template.with_fallbacks(values=tag_values(contact, conversation.phone))


@dataclass(frozen=True, slots=True)
class Line:
    """A text of a conversation: from the person (`inbound`), or from us with what became of it."""

    at: datetime
    inbound: bool
    body: str
    words: str


def lines_of(conversation: Conversation) -> list[Line]:
    """The newest texts between our number and the phone, oldest of them first."""
    rows = fetch_all(
        _LINES,
        {
            "organization": current_organization_id(),
            "number": conversation.sender_number_id,
            "phone": conversation.phone,
            "limit": LINES,
        },
    )
    return [Line(at, inbound, body, WORDS.get(state, "")) for at, inbound, body, state in reversed(rows)]


_LINES = """
SELECT received_at AS at, true, body, '' FROM messaging_inboundtext
WHERE organization_id = %(organization)s AND phone = %(phone)s AND sender_number_id = %(number)s
UNION ALL
SELECT COALESCE(accepted_at, created_at), false, body, state FROM messaging_message
WHERE organization_id = %(organization)s AND phone = %(phone)s AND sender_number_id = %(number)s
    AND (reply_key IS NULL OR reply_key NOT LIKE 'test:%%')
ORDER BY at DESC LIMIT %(limit)s
"""
