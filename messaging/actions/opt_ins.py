"""Asking for a double opt-in: the text, the one reminder, and when they may go."""

from datetime import datetime, timedelta

from accounts.queries import current_organization, organization_ids
from common.actor import SYSTEM, Actor
from common.errors import DomainError
from common.tenancy import organization_scope
from consent.actions import (
    REMIND_AFTER,
    OptInRefused,
    Trace,
    expire_requests,
    open_request,
    reminder_words,
    request_words,
)
from consent.models import OptInRequest, Program
from consent.queries import is_opted_out, may_want_to_stop
from consent.rules.lawful_hours import ALWAYS
from consent.rules.media import Medium
from consent.rules.places import hours_of, place_of
from consent.rules.windows import Window, next_window
from contacts.queries import contacts_of
from messaging.actions.singles import queue_single
from messaging.actions.streams import Hours, set_stream_hours
from messaging.models import Message, Stream, StreamState
from messaging.rules.kinds import TextKind
from senders.models import NumberStatus, SenderNumber


def request_opt_in(
    program: Program,
    phone: str,
    *,
    number: SenderNumber,
    medium: Medium,
    basis: str,
    asked_for_at: datetime,
    actor: Actor,
    now: datetime,
    trace: Trace = Trace(),
    by_person: bool = False,
) -> OptInRequest:
    """Ask a person to confirm that they want a program, at their next lawful hour.

    Who said stop is sent nothing, whoever asks: they confirm by a text of their own (`by_person`: our hosted form).
    Raises OptInRefused or NotEnoughCredits.
    """
    if number.status != NumberStatus.REGISTERED or number.is_name:
        raise OptInRefused(f"{number} cannot ask: choose a registered number that people can answer.")
    request = open_request(
        program,
        phone,
        sender_number_id=number.id,
        medium=medium,
        basis=basis,
        asked_for_at=asked_for_at,
        actor_label=actor.label,
        now=now,
        trace=trace,
        by_person=by_person,
    )
    if not is_opted_out(phone):
        _queue(request, number, request_words(program), f"opt-in:{request.id}", actor, now)
        request.message_id = Message.objects.get(reply_key=f"opt-in:{request.id}").id
        request.save(update_fields=["message_id"])
    return request


def _queue(request: OptInRequest, number: SenderNumber, words: str, key: str, actor: Actor, now: datetime) -> None:
    contact = contacts_of([request.phone]).get(request.phone)
    organization = current_organization()
    home = {
        "zone": contact.time_zone if contact else "",
        "region": contact.region if contact else "",
        "postcode": contact.postcode if contact else "",
        "country": (contact.country if contact else "") or organization.default_country,
    }
    bucket = place_of(phone=request.phone, **home).key
    window = _window(bucket, organization.time_zone, now)
    if window is None:
        raise OptInRefused("There is no hour at which this person may be texted. Ask them to text you first.")
    queue_single(
        number,
        request.phone,
        body=words,
        kind=TextKind.OPT_IN_REQUEST,
        source=f"opt-ins:{number.id}:{request.program_id}:{now:%Y-%m-%d}",
        reply_key=key,
        program_id=request.program_id,
        bucket=bucket,
        hours=Hours(open_from=window[0], open_until=window[1]),
        actor=actor,
        now=now,
    )


def _window(bucket: str, home_zone: str, now: datetime) -> Window | None:
    """Lawful hours alone: whether the program sells something or not, a stranger is asked at a decent hour."""
    return next_window(now, hours_of(bucket, sending=ALWAYS, promotional=True, home_zone=home_zone))


def tend_requests(*, now: datetime) -> None:
    """Open the next window of what waits, remind once who has not answered, let old requests end; a scope for each."""
    for organization_id in organization_ids():
        with organization_scope(organization_id):
            expire_requests(now=now)
            _open_next_windows(now)
            unanswered = OptInRequest.objects.filter(
                state=OptInRequest.State.WAITING,
                reminded_at=None,
                created_at__lt=now - REMIND_AFTER,
                expires_at__gt=now + timedelta(hours=1),
            )
            waiting = list(unanswered.values_list("id", flat=True))
        for request_id in waiting:
            with organization_scope(organization_id):
                _remind(request_id, now)


def _open_next_windows(now: datetime) -> None:
    closed = Stream.objects.filter(kind=TextKind.OPT_IN_REQUEST, state=StreamState.OPEN, open_until__lte=now)
    home_zone = current_organization().time_zone
    for stream in closed:
        window = _window(stream.bucket, home_zone, now)
        if window is not None:
            set_stream_hours(stream.id, open_from=window[0], open_until=window[1])


def _remind(request_id: int, now: datetime) -> None:
    """Only who was asked: where the first text never left there is nothing to be reminded of."""
    requests = OptInRequest.objects.select_for_update(no_key=True, of=("self",)).select_related("program")
    request = requests.get(id=request_id)
    if request.state != OptInRequest.State.WAITING or request.reminded_at is not None:
        return
    asked = Message.objects.filter(id=request.message_id or 0, captured=True).exists()
    number = SenderNumber.objects.get(id=request.sender_number_id)
    request.reminded_at = now
    request.save(update_fields=["reminded_at"])
    paused = is_opted_out(request.phone) or may_want_to_stop([request.phone])
    if asked and not paused and number.status == NumberStatus.REGISTERED:
        try:
            _queue(request, number, reminder_words(request.program), f"opt-in:{request.id}:again", SYSTEM, now)
        except DomainError:
            return  # no credits, no hour: a reminder is a courtesy
