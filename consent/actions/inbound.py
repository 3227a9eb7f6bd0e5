"""What an inbound text means for consent, and which replies are due."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from common.sql import run
from common.tenancy import current_organization_id
from consent.actions.opt_outs import Wish, opt_out_by_text
from consent.models import Action, CarrierBlock, ConsentRecord, OptOut, Program, StopWord
from consent.rules.keywords import NETWORK_START, NETWORK_STOP, Keyword, keyword_of, normalise
from consent.rules.media import Medium
from consent.rules.projection import CONVERSATIONAL
from events.actions import publish


class ReplyKind(StrEnum):
    STOPPED = "STOPPED"
    STARTED = "STARTED"
    HELP = "HELP"


@dataclass(frozen=True, slots=True)
class ReplyDue:
    """A compliance reply, which messaging sends once for each inbound text and kind, free of charge."""

    kind: ReplyKind
    text: str


def obey_inbound(
    *,
    phone: str,
    sender_number_id: int,
    toll_free: bool,
    body: str,
    inbound_sid: str,
    carrier_replied: bool,
    organization_name: str,
    received_at: datetime,
    now: datetime,
) -> list[ReplyDue]:
    """Act on an inbound text, which came at `received_at`, within its transaction; return the replies that are due.

    Any text opens conversational consent; STOP closes everything, START brings back what STOP took. Where the network
    or the carrier has answered (`carrier_replied`, or a toll-free keyword of the network), no second answer follows.
    """
    own = frozenset(StopWord.objects.filter(sender_number_id=sender_number_id).values_list("word", flat=True))
    keyword = keyword_of(body, stop_words=own)
    # Not asked for a STOP, which counts either way and must count soon.
    opted_out = keyword is not Keyword.STOP and OptOut.objects.filter(phone=phone, lifted_at=None).exists()
    if keyword is Keyword.YES:
        keyword = Keyword.START if opted_out and not toll_free else None
    answered = carrier_replied or (toll_free and normalise(body) in NETWORK_STOP | NETWORK_START)
    if keyword is Keyword.STOP:
        fresh = opt_out_by_text(Wish(phone, received_at, inbound_sid), now=now)
        if toll_free and normalise(body) in NETWORK_STOP:
            _note_block(phone, sender_number_id, received_at)
        return [] if answered or not fresh else [ReplyDue(ReplyKind.STOPPED, _stopped(organization_name))]
    if keyword is Keyword.START:
        started = _start(phone, sender_number_id, inbound_sid, received_at, now)
        return [] if answered or not started else [ReplyDue(ReplyKind.STARTED, _started(organization_name))]
    if not opted_out:
        _open_conversation(phone, inbound_sid, received_at, now)
    if keyword is Keyword.HELP:
        return [] if answered else [ReplyDue(ReplyKind.HELP, _help(organization_name))]
    return []


def _start(phone: str, sender_number_id: int, inbound_sid: str, at: datetime, now: datetime) -> bool:
    """Bring back what STOP took; False where a later STOP stands against it."""
    values = {
        "organization": current_organization_id(),
        "phone": phone,
        "at": at,
        "now": now,
        "medium": Medium.KEYWORD.value,
        "sid": inbound_sid,
    }
    stopped = OptOut.objects.filter(phone=phone, lifted_at=None)
    if stopped.filter(opted_out_at__gt=at).exists():
        return False  # they have changed their mind since
    lifted = stopped.update(lifted_at=at)
    CarrierBlock.objects.filter(sender_number_id=sender_number_id, phone=phone).update(lifted_at=at)
    if lifted:
        _record(phone, Action.START, Medium.KEYWORD, inbound_sid, at, now)
    run(_REGRANT, values)
    run(_RESTORE, values)
    _open_conversation(phone, inbound_sid, at, now)
    if lifted:
        publish(kind="opt_out.removed", payload={"phone": phone}, now=now)
    return True


def _open_conversation(phone: str, inbound_sid: str, at: datetime, now: datetime) -> None:
    """A text from the person is consent to relevant replies, and renews it (domain.md: 30 days)."""
    values = {"organization": current_organization_id(), "phone": phone, "at": at}
    if run(_CONVERSE, values | {"program": CONVERSATIONAL}) and not _has_conversational_record(phone):
        _record(phone, Action.GRANT, Medium.INBOUND_TEXT, inbound_sid, at, now)


def _record(phone: str, action: Action, medium: Medium, inbound_sid: str, at: datetime, now: datetime) -> None:
    """What a text of the person means to the whole organization."""
    ConsentRecord.objects.create(
        organization_id=current_organization_id(),
        phone=phone,
        program_id=CONVERSATIONAL,
        action=action,
        occurred_at=at,
        medium=medium,
        inbound_sid=inbound_sid,
        actor_label=phone,
        recorded_at=now,
    )


def _has_conversational_record(phone: str) -> bool:
    """Whether the newest conversational record still grants: every further text only renews the window."""
    newest = ConsentRecord.objects.filter(phone=phone, program_id=CONVERSATIONAL).order_by("-id").first()
    return newest is not None and newest.action == Action.GRANT


def _note_block(phone: str, sender_number_id: int, at: datetime) -> None:
    CarrierBlock.objects.update_or_create(
        organization_id=current_organization_id(),
        sender_number_id=sender_number_id,
        phone=phone,
        defaults={"blocked_at": at, "lifted_at": None},
    )


def _stopped(name: str) -> str:
    return f"{name}: You have been unsubscribed and will receive no more texts. Reply START to come back."


def _started(name: str) -> str:
    return (
        f"{name}: You are subscribed again. Msg frequency varies. Msg & data rates may apply. "
        "Reply HELP for help, STOP to stop."
    )


def _help(name: str) -> str:
    program = Program.objects.exclude(help_text="").order_by("id").first()
    if program is not None:
        return str(program.help_text)
    return f"{name}: Reply to this number to reach us. Msg & data rates may apply. Reply STOP to stop."


_REGRANT = """
INSERT INTO consent_consentrecord
    (organization_id, phone, program_id, action, occurred_at, medium, inbound_sid, actor_label, recorded_at)
SELECT organization_id, phone, program_id, 'GRANT', %(at)s, %(medium)s, %(sid)s, phone, %(now)s
FROM consent_consentstate WHERE organization_id = %(organization)s AND phone = %(phone)s AND stopped AND NOT granted
"""

_RESTORE = """
UPDATE consent_consentstate SET granted = true, stopped = false, changed_at = %(at)s
WHERE organization_id = %(organization)s AND phone = %(phone)s AND stopped AND NOT granted
"""

_CONVERSE = """
INSERT INTO consent_consentstate AS s (organization_id, phone, program_id, granted, changed_at, stopped)
VALUES (%(organization)s, %(phone)s, %(program)s, true, %(at)s, false)
ON CONFLICT (organization_id, phone, program_id)
DO UPDATE SET granted = true, stopped = false, changed_at = excluded.changed_at
"""
