"""Single texts of people, answers and tests: one stream and one standing reservation for each number and day."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from accounts.actions import audit
from accounts.models import Organization
from billing.actions import close_reservation
from common.actor import SYSTEM, Actor
from common.errors import DomainError
from common.tenancy import across_organizations, current_organization_id, organization_scope
from consent.queries import conversation_is_open, is_opted_out
from content.actions import note_use
from content.rules.rendering import plain_text
from messaging.actions.singles import queue_single
from messaging.models import Message, Stream, StreamState
from messaging.queries import outcome_counts
from messaging.rules.digests import digest_of
from messaging.rules.kinds import CONVERSATION_DAYS, TextKind
from messaging.rules.states import OPEN
from senders.models import NumberStatus, SenderNumber
from senders.rules.names import NOT_REACHED


class ReplyRefused(DomainError):
    code = "reply_refused"


def queue_reply(
    number: SenderNumber,
    phone: str,
    *,
    body: str,
    form_id: str,
    actor: Actor,
    now: datetime,
    template_version_id: int | None = None,
) -> None:
    """Send a person's answer, before any campaign on the number. The same form sent twice sends once.

    Raises ReplyRefused or NotEnoughCredits; the claim asks consent and registration once more.
    """
    reply_key = f"form:{form_id}"
    if Message.objects.filter(reply_key=reply_key).exists():
        return
    body = plain_text(body)
    _check(number, phone, body, now)
    stream, segments = queue_single(
        number,
        phone,
        body=body,
        kind=TextKind.REPLY,
        source=f"replies:{number.id}:{now:%Y-%m-%d}",
        reply_key=reply_key,
        template_version_id=template_version_id,
        actor=actor,
        now=now,
    )
    if template_version_id is not None:
        note_use(template_version_id)
    audit(action="reply.sent", subject=stream, actor=actor, now=now, segments=segments)


def queue_test(
    number: SenderNumber,
    phone: str,
    *,
    body: str,
    form_id: str,
    actor: Actor,
    now: datetime,
    media_ids: Sequence[int] = (),
) -> None:
    """Send a text to the phone of the person who asks for it. The same form sent twice sends once.

    Raises ReplyRefused or NotEnoughCredits.
    """
    reply_key = f"test:{form_id}"
    if Message.objects.filter(reply_key=reply_key).exists():
        return
    if number.status != NumberStatus.REGISTERED:
        raise ReplyRefused("This number may not text at the moment. See its state under Numbers.")
    if number.is_name and phone.startswith(NOT_REACHED):
        raise ReplyRefused(f"Phones in North America get no texts from a name such as “{number}”. Test with a number.")
    if is_opted_out(phone):
        raise ReplyRefused(
            "Your phone said STOP to your own organization. Text START to one of your numbers, then try again."
        )
    media = digest_of(",".join(map(str, media_ids))) if media_ids else 0
    stream, segments = queue_single(
        number,
        phone,
        body=body,
        kind=TextKind.TEST,
        source=f"tests:{number.id}:{now:%Y-%m-%d}:{media}",
        reply_key=reply_key,
        media_ids=media_ids,
        actor=actor,
        now=now,
    )
    audit(action="test.sent", subject=stream, actor=actor, now=now, segments=segments)


def close_past_days(*, now: datetime) -> None:
    """Close the streams and reservations of days that are over, once nothing of them is open; a scope for each."""
    with across_organizations(because="the days of every organization end"):
        streams = Stream.objects.filter(
            kind__in=[TextKind.REPLY, TextKind.TEST, TextKind.OPT_IN_REQUEST], state=StreamState.OPEN
        )
        past = list(streams.filter(created_at__lt=now - timedelta(days=1)).values_list("organization_id", "id"))
    for organization_id, stream_id in past:
        with organization_scope(organization_id):
            stream = Stream.objects.select_for_update(no_key=True).get(id=stream_id)
            if any(state in OPEN for state in outcome_counts(stream.source)):
                continue
            stream.state = StreamState.CLOSED
            stream.save(update_fields=["state"])
            if stream.reservation_id is not None:
                close_reservation(stream.reservation_id, actor=SYSTEM, now=now)


def _check(number: SenderNumber, phone: str, body: str, now: datetime) -> None:
    limit = Organization.objects.values_list("message_char_limit", flat=True).get(id=current_organization_id())
    if not body.strip():
        raise ReplyRefused("Write the answer first: it is empty.")
    if len(body) > limit:
        raise ReplyRefused(f"The answer has {len(body)} characters; {limit} are allowed. Shorten it.")
    if number.status != NumberStatus.REGISTERED:
        raise ReplyRefused("This number may not text at the moment. See its state under Numbers.")
    if is_opted_out(phone):
        raise ReplyRefused("This person said STOP. They can be answered again once they text START.")
    if not conversation_is_open(phone, days=CONVERSATION_DAYS, now=now):
        raise ReplyRefused(
            f"Their last text is over {CONVERSATION_DAYS} days old. Wait for them to write, or use a campaign."
        )
