"""What an inbound text means for consent, and which replies are due.

In this order: the families of keywords, an answer to a double opt-in, the words that join programs, then words that
read like a wish to stop.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import QuerySet
from django.db.models.functions import Greatest

from common.sql import run
from common.tenancy import current_organization_id
from consent.actions.opt_ins import (
    OptInRefused,
    Trace,
    confirm_request,
    grant,
    lift_opt_out,
    open_request,
    withdraw,
)
from consent.actions.opt_outs import Wish, end_questions, note_block, opt_out_by_text
from consent.models import (
    Action,
    CarrierBlock,
    ConsentRecord,
    ConsentState,
    OptInRequest,
    OptOut,
    PossibleOptOut,
    Program,
    ProgramKeyword,
    StopWord,
)
from consent.queries.panel import stopped_after
from consent.rules import replies
from consent.rules.keywords import NETWORK_START, NETWORK_STOP, STOP_ALL, Keyword, keyword_of, readings
from consent.rules.law import period
from consent.rules.media import Medium
from consent.rules.near_stop import wants_to_stop
from consent.rules.projection import CONVERSATIONAL, LONG_AGO

CONFIRM_WITHIN = timedelta(minutes=period("confirmation_minutes").value)
KEEP_WITHIN = timedelta(days=1)
"""Who was asked what their STOP meant has so long to answer; without an answer everything stays stopped."""


class ReplyKind(StrEnum):
    STOPPED = "STOPPED"
    STARTED = "STARTED"
    HELP = "HELP"
    ASKED = "ASKED"
    JOINED = "JOINED"


@dataclass(frozen=True, slots=True)
class ReplyDue:
    """A compliance reply, which messaging sends once for each inbound text and kind, free of charge."""

    kind: ReplyKind
    text: str


@dataclass(frozen=True, slots=True)
class Inbound:
    """A text of a person to one of our numbers.

    `carrier_keyword`: what the carrier has taken it for, and answered. `last_program_id`: of the last campaign's text
    that it may answer, 0: none is known; `stop_scope` as the organization decided (accounts.models.STOP_SCOPES).
    `has_reached` tells of a message of ours whether it may have reached the phone by a moment.
    """

    phone: str
    sender_number_id: int
    toll_free: bool
    body: str
    sid: str
    carrier_keyword: Keyword | None
    received_at: datetime
    organization_name: str
    has_reached: Callable[[int, datetime], bool]
    stop_scope: str = "ALL"
    last_program_id: int = 0


def obey_inbound(text: Inbound, *, now: datetime) -> list[ReplyDue]:
    """Act on an inbound text within its transaction; return the replies that are due.

    Any text opens conversational consent; STOP closes everything, START brings back what STOP took. Where the network
    or the carrier has answered, no second answer follows.
    """
    own = frozenset(StopWord.objects.filter(sender_number_id=text.sender_number_id).values_list("word", flat=True))
    keyword = keyword_of(text.body, stop_words=own)
    if Keyword.STOP in (keyword, text.carrier_keyword):
        return _stop(text, now)
    keyword = text.carrier_keyword or keyword
    opted_out = OptOut.objects.filter(phone=text.phone, lifted_at=None).exists()
    if not opted_out:
        _open_conversation(text, now)
    if keyword is Keyword.YES and not text.toll_free:
        _unblock(text)  # their network takes it for START as well
    if keyword is Keyword.START:
        return _start(text, now)
    joined = _join(text, opted_out, now)
    if joined is not None:
        return joined
    if keyword is Keyword.YES and opted_out and not text.toll_free:
        return _start(text, now)
    if keyword is Keyword.HELP:
        return [] if _answered(text) else [ReplyDue(ReplyKind.HELP, _help(text))]
    if opted_out:
        return _keep(text, now)
    if keyword is None and wants_to_stop(text.body):
        # The newest of such texts is the one that a person must have read before they say no to it.
        PossibleOptOut.objects.update_or_create(
            organization_id=current_organization_id(),
            phone=text.phone,
            resolved_at=None,
            defaults={
                "sender_number_id": text.sender_number_id,
                "inbound_sid": text.sid,
                "noted_at": text.received_at,
            },
        )
    return []


def _answered(text: Inbound) -> bool:
    """Whether the carrier has answered, or does on toll-free numbers by itself."""
    of_network = text.toll_free and not (NETWORK_STOP | NETWORK_START).isdisjoint(readings(text.body))
    return text.carrier_keyword is not None or of_network


def _is_late(text: Inbound, now: datetime) -> bool:
    """Whether their STOP waited somewhere for so long that confirming it is presumed to be lawful no more."""
    return now - text.received_at > CONFIRM_WITHIN


# STOP ---------------------------------------------------------------------------------------------------------------


def _stop(text: Inbound, now: datetime) -> list[ReplyDue]:
    by_network = text.toll_free and not NETWORK_STOP.isdisjoint(readings(text.body))
    program = Program.objects.filter(id=text.last_program_id).first() if text.stop_scope != "ALL" else None
    if program is not None and text.stop_scope == "PROGRAM" and not by_network and _stops_one(text, program, now):
        words = replies.stopped_one(text.organization_name, program=program.name)
        return [] if _answered(text) or _is_late(text, now) else [ReplyDue(ReplyKind.STOPPED, words)]
    granted = ConsentState.objects.filter(phone=text.phone, granted=True).exclude(program_id=CONVERSATIONAL)
    before = set(granted.values_list("program_id", flat=True))
    fresh = opt_out_by_text(Wish(text.phone, text.received_at, text.sid), now=now)
    if by_network:
        note_block(text.phone, sender_number_id=text.sender_number_id, at=text.received_at)
    if _answered(text) or not fresh or _is_late(text, now):
        return []
    if program is not None and text.stop_scope == "ASK":
        taken = ConsentState.objects.filter(phone=text.phone, stopped=True, changed_at__gte=text.received_at)
        if taken.exclude(program_id__in=[CONVERSATIONAL, program.id]).exists():
            OptOut.objects.filter(phone=text.phone).update(asked_at=text.received_at)
            words = replies.stopped_which(text.organization_name, program=program.name)
            return [ReplyDue(ReplyKind.STOPPED, words)]
    return [ReplyDue(ReplyKind.STOPPED, _stopped_words(text, before))]


def _stops_one(text: Inbound, program: Program, now: datetime) -> bool:
    """Take back one program, where STOP means that and it was granted; a second STOP stops everything."""
    if not STOP_ALL.isdisjoint(readings(text.body)):
        return False
    if OptOut.objects.filter(phone=text.phone, lifted_at=None).exists():
        return False
    at, medium, by = text.received_at, Medium.INBOUND_TEXT, text.phone
    trace = Trace(inbound_sid=text.sid)
    if not withdraw(text.phone, program_id=program.id, medium=medium, at=at, actor_label=by, now=now, trace=trace):
        return False
    end_questions(text.phone, at=at, now=now)
    return True


def _stopped_words(text: Inbound, program_ids: set[int]) -> str:
    """What their programs say, where all say the same; else the usual words in the name of the business."""
    known = program_ids or set(
        ConsentState.objects.filter(phone=text.phone, stopped=True).values_list("program_id", flat=True)
    )
    texts = {program.replies().opt_out for program in Program.objects.filter(id__in=known)}
    return texts.pop() if len(texts) == 1 else replies.stopped(text.organization_name)


def _keep(text: Inbound, now: datetime) -> list[ReplyDue]:
    """They were asked what their STOP meant, and say that it was one program alone."""
    if text.stop_scope != "ASK" or replies.KEEP_WORD not in readings(text.body):
        return []
    asked = OptOut.objects.filter(phone=text.phone, lifted_at=None, asked_at__gt=text.received_at - KEEP_WITHIN).first()
    if asked is None or _is_blocked(text):
        return []
    if lift_opt_out(text.phone, medium=Medium.KEYWORD, inbound_sid=text.sid, at=text.received_at, now=now):
        _restore(text, now, since=asked.opted_out_at, but=text.last_program_id)
        _open_conversation(text, now)
        return [ReplyDue(ReplyKind.STARTED, replies.started(text.organization_name))]
    return []


# START --------------------------------------------------------------------------------------------------------------


def _start(text: Inbound, now: datetime) -> list[ReplyDue]:
    """Bring back what STOP took, unless a later STOP stands against it."""
    if stopped_after(text.phone, at=text.received_at):
        return []  # they have changed their mind since
    _unblock(text)
    stop = OptOut.objects.filter(phone=text.phone, lifted_at=None).first()
    lift_opt_out(text.phone, medium=Medium.KEYWORD, inbound_sid=text.sid, at=text.received_at, now=now)
    _restore(text, now, since=stop.opted_out_at if stop is not None else LONG_AGO)
    _open_conversation(text, now)
    started = [] if _answered(text) else [ReplyDue(ReplyKind.STARTED, replies.started(text.organization_name))]
    return started + _ask_now(text)


def _ask_now(text: Inbound) -> list[ReplyDue]:
    """Who used our page while they could not be texted is asked now that they can: a bare YES would mean anything."""
    waiting = _waiting_requests(text).filter(message_id=None).order_by("-id").select_related("program").first()
    if waiting is None:
        return []
    waiting.inbound_sid = text.sid
    waiting.save(update_fields=["inbound_sid"])
    return [ReplyDue(ReplyKind.ASKED, request_words(waiting.program))]


def _unblock(text: Inbound) -> None:
    blocks = CarrierBlock.objects.filter(sender_number_id=text.sender_number_id, phone=text.phone)
    blocks.update(lifted_at=text.received_at)


def _restore(text: Inbound, now: datetime, *, since: datetime, but: int = CONVERSATIONAL) -> None:
    """Grant again what the STOP of `since` took, but for one program: what an older one took stays so.

    A text that waited somewhere brings back nothing that was taken after it was written.
    """
    values = {
        "organization": current_organization_id(),
        "phone": text.phone,
        "at": text.received_at,
        "now": now,
        "medium": Medium.KEYWORD.value,
        "sid": text.sid,
        "since": since,
        "but": but,
    }
    run(_REGRANT, values)
    run(_RESTORE, values)


# Joining ------------------------------------------------------------------------------------------------------------


def _join(text: Inbound, opted_out: bool, now: datetime) -> list[ReplyDue] | None:
    """Confirm a request, or join by a word; None: the text is neither."""
    words = readings(text.body)
    if stopped_after(text.phone, at=text.received_at):
        return None  # they have changed their mind since
    # Of several questions the answer is to the one that was put last, be it as a reminder.
    waiting = _waiting_requests(text).order_by(Greatest("created_at", "reminded_at").desc(), "-id")
    request = next((one for one in waiting if _confirms(one, text, opted_out)), None)
    keyword = _join_word(text, words) if request is None else None
    if request is None and keyword is None:
        return None
    if keyword is not None and stopped_after(text.phone, at=text.received_at, program_id=keyword.program_id):
        return None
    if opted_out:
        if _is_blocked(text):
            return []  # the network lets nothing through until they text it START
        if keyword is None or not keyword.program.double_opt_in:
            at = text.received_at
            if not lift_opt_out(text.phone, medium=Medium.KEYWORD, inbound_sid=text.sid, at=at, now=now):
                return []
            _open_conversation(text, now)
    if request is not None:
        confirm_request(request, inbound_sid=text.sid, at=text.received_at, now=now)
        return [ReplyDue(ReplyKind.JOINED, welcome(request.program))]
    assert keyword is not None
    return _join_by_word(text, keyword, now)


def _waiting_requests(text: Inbound) -> QuerySet[OptInRequest]:
    """What the phone may answer by this text: asked from this number before it, and not yet expired."""
    return OptInRequest.objects.filter(
        phone=text.phone,
        sender_number_id=text.sender_number_id,
        state=OptInRequest.State.WAITING,
        created_at__lte=text.received_at,
        expires_at__gt=text.received_at,
    )


def _join_word(text: Inbound, words: tuple[str, str]) -> ProgramKeyword | None:
    """The word of a program that the text is, typed with its accents or without."""
    of_number = ProgramKeyword.objects.filter(sender_number_id=text.sender_number_id).select_related("program")
    return next((one for one in of_number if not set(words).isdisjoint(readings(one.word))), None)


def _is_blocked(text: Inbound) -> bool:
    blocks = CarrierBlock.objects.filter(sender_number_id=text.sender_number_id, phone=text.phone, lifted_at=None)
    return bool(blocks.exists())


def _confirms(request: OptInRequest, text: Inbound, opted_out: bool) -> bool:
    """Whether this is the yes that the request waits for: only who was asked can say it.

    Who had said stop when they used our page was not asked by a text but by the page: as long as they are stopped, YES
    is the answer to it, a passing "ok" is not. Once they came back they are asked by a text (`_ask_now`).
    """
    if request.message_id is None:
        return opted_out and keyword_of(text.body) is Keyword.YES
    return request.is_confirmed_by(readings(text.body)) and text.has_reached(request.message_id, text.received_at)


def _join_by_word(text: Inbound, keyword: ProgramKeyword, now: datetime) -> list[ReplyDue]:
    program, at = keyword.program, text.received_at
    trace = Trace(inbound_sid=text.sid, note=keyword.posted_at or None)
    if not program.double_opt_in:
        medium = Medium.KEYWORD
        grant(program, text.phone, medium=medium, at=at, actor_label=text.phone, now=now, trace=trace)
        return [ReplyDue(ReplyKind.JOINED, welcome(program))]
    try:
        open_request(
            program,
            text.phone,
            sender_number_id=text.sender_number_id,
            medium=Medium.KEYWORD,
            basis=f"Texted {keyword.word.upper()} on {at:%Y-%m-%d %H:%M} UTC. {keyword.posted_at}",
            asked_for_at=at,
            actor_label=text.phone,
            now=max(now, at),
            trace=trace,
            by_person=True,
        )
    except OptInRefused:
        return [ReplyDue(ReplyKind.JOINED, welcome(program))]  # they agreed to it already
    return [ReplyDue(ReplyKind.ASKED, request_words(program))]


def request_words(program: Program) -> str:
    """The text that asks for a double opt-in."""
    frequency = program.frequency or "Msg frequency varies"
    return replies.asked(program.brand, program=program.name, frequency=frequency, word=program.confirming_word)


def reminder_words(program: Program) -> str:
    """The one reminder of a request that nobody has answered."""
    return replies.reminded(program.brand, program=program.name, word=program.confirming_word)


def welcome(program: Program) -> str:
    """The text that confirms that somebody joined (CTIA 5.1.3)."""
    return program.replies().confirmation


# The conversation ---------------------------------------------------------------------------------------------------


def _open_conversation(text: Inbound, now: datetime) -> None:
    """A text from the person is consent to relevant replies, and renews it (domain.md: 30 days)."""
    values = {"organization": current_organization_id(), "phone": text.phone, "at": text.received_at}
    if run(_CONVERSE, values | {"program": CONVERSATIONAL}) and not _has_conversational_record(text.phone):
        ConsentRecord.objects.create(
            organization_id=current_organization_id(),
            phone=text.phone,
            program_id=CONVERSATIONAL,
            action=Action.GRANT,
            occurred_at=text.received_at,
            medium=Medium.INBOUND_TEXT,
            inbound_sid=text.sid,
            actor_label=text.phone,
            recorded_at=now,
        )


def _has_conversational_record(phone: str) -> bool:
    """Whether the newest conversational record still grants: every further text only renews the window."""
    newest = ConsentRecord.objects.filter(phone=phone, program_id=CONVERSATIONAL).order_by("-id").first()
    return newest is not None and newest.action == Action.GRANT


def _help(text: Inbound) -> str:
    """What the program says that they joined last, never another's; else the usual words in the business's name."""
    joined = ConsentState.objects.filter(phone=text.phone, granted=True).exclude(program_id=CONVERSATIONAL)
    newest = joined.order_by("-changed_at").values_list("program_id", flat=True).first()
    program = Program.objects.filter(id=newest or 0).first()
    return program.replies().help if program is not None else replies.helped(text.organization_name)


_REGRANT = """
INSERT INTO consent_consentrecord
    (organization_id, phone, program_id, action, occurred_at, medium, inbound_sid, actor_label, recorded_at)
SELECT organization_id, phone, program_id, 'GRANT', %(at)s, %(medium)s, %(sid)s, phone, %(now)s
FROM consent_consentstate
WHERE organization_id = %(organization)s AND phone = %(phone)s AND stopped AND NOT granted
    AND program_id <> %(but)s AND changed_at BETWEEN %(since)s AND %(at)s
"""

_RESTORE = """
UPDATE consent_consentstate SET granted = true, stopped = false, changed_at = GREATEST(changed_at, %(at)s)
WHERE organization_id = %(organization)s AND phone = %(phone)s AND stopped AND NOT granted
    AND program_id <> %(but)s AND changed_at BETWEEN %(since)s AND %(at)s
"""

_CONVERSE = """
INSERT INTO consent_consentstate AS s (organization_id, phone, program_id, granted, changed_at, stopped)
VALUES (%(organization)s, %(phone)s, %(program)s, true, %(at)s, false)
ON CONFLICT (organization_id, phone, program_id)
DO UPDATE SET granted = true, stopped = false,
    changed_at = CASE WHEN s.granted THEN GREATEST(s.changed_at, excluded.changed_at) ELSE excluded.changed_at END
"""
