"""The carrier as witness: what it knows of people who said stop is held against what we know."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from accounts.actions import notify
from accounts.models import Notice
from accounts.rules.permissions import Permission
from common.sql import fetch_all
from common.tenancy import current_organization_id, organization_scope
from consent.actions import note_carrier_opt_out
from consent.models import CarrierDifference
from consent.queries import is_opted_out, stop_words_of
from consent.rules.keywords import Keyword, keyword_of
from messaging.actions.receiving import replay_inbound
from messaging.gateways.base import CarrierMessage, ErrorKind
from messaging.gateways.registry import kind_of_error
from messaging.models import CarrierInbound, InboundText
from senders.models import CarrierAccount, SenderNumber

DAY = timedelta(hours=26)
"""What is asked about each night: a day, and what the question takes."""
ON_ITS_WAY = timedelta(minutes=5)
"""A text that is newer may reach us yet."""


def asked_since(account_id: int, *, now: datetime) -> datetime:
    """From when on the carrier is asked: a day ago, or further back where a night was missed."""
    account = CarrierAccount.objects.get(id=account_id)
    heard = account.witnessed_at or now
    return min(now - DAY, heard - (DAY - timedelta(days=1)))


def note_heard(account_id: int, *, now: datetime) -> None:
    """The carrier has told everything up to now."""
    CarrierAccount.objects.filter(id=account_id).update(witnessed_at=now)


def hold_against_ours(account_sid: str, listed: Sequence[CarrierMessage], *, now: datetime) -> list[CarrierMessage]:
    """Note refusals as opted out that we do not know of; return the texts of people that never reached us.

    Runs across organizations; each difference is noted in its own.
    """
    for one in listed:
        if (
            not one.inbound
            and one.error_code is not None
            and kind_of_error(CarrierAccount.Gateway.TWILIO, one.error_code) is ErrorKind.OPT_OUT
        ):
            _note_refusal(account_sid, one, now)
    inbound = [one for one in listed if one.inbound and one.created_at < now - ON_ITS_WAY]
    sids = [one.sid for one in inbound]
    known = set(InboundText.objects.filter(sid__in=sids).values_list("sid", flat=True))
    waiting = CarrierInbound.objects.filter(account_sid=account_sid, form__MessageSid__in=sids)
    known |= set(waiting.values_list("form__MessageSid", flat=True))
    return [one for one in inbound if one.sid not in known]


def obey_missed(account_sid: str, missed: Sequence[CarrierMessage], *, now: datetime) -> None:
    """Do what people wrote who were never heard, oldest first, and note who said STOP. Runs across organizations."""
    replay_inbound(account_sid, missed, now=now)
    for one in missed:
        number = _number(account_sid, one.phone)
        if number is None:
            continue
        own = stop_words_of({number.id})[number.id]
        if keyword_of(one.body, stop_words=own) is Keyword.STOP:
            words = f"Said STOP on {one.created_at:%Y-%m-%d %H:%M} UTC; it reached the carrier and not us. Obeyed now."
            with organization_scope(number.organization_id):
                _write(one.sender, number.id, words, now)


def _note_refusal(account_sid: str, refused: CarrierMessage, now: datetime) -> None:
    number = _number(account_sid, refused.sender)
    if number is None:
        return
    with organization_scope(number.organization_id):
        came_back = fetch_all(_CAME_BACK, [number.organization_id, refused.phone, refused.created_at])
        if is_opted_out(refused.phone) or came_back:
            return
        note_carrier_opt_out(refused.phone, sender_number_id=number.id, now=now)
        words = f"The carrier refused a text as opted out ({refused.error_code}) and we had no opt-out. Noted now."
        _write(refused.phone, number.id, words, now)


def _number(account_sid: str, sender: str) -> SenderNumber | None:
    found: SenderNumber | None = SenderNumber.objects.filter(
        carrier_account__account_sid=account_sid, sender=sender
    ).first()
    return found


def stop_blocked(*, now: datetime) -> int:
    """Blocks of a number that no opt-out stands beside become opt-outs, in the organization in scope; how many.

    Who came back since, by another number, is only not texted from the number that the network blocks.
    """
    rows = fetch_all(_BLOCKED, [current_organization_id()])
    for phone, number_id in rows:
        note_carrier_opt_out(phone, sender_number_id=number_id, now=now)
        _write(phone, number_id, "The network blocks our texts and we had no opt-out. Noted now.", now)
    return len(rows)


def tell_differences(*, since: datetime, now: datetime) -> None:
    """Tell those who answer for the organization in scope what the carrier knew and we did not."""
    number = CarrierDifference.objects.filter(found_at__gte=since).count()
    if number:
        people = "One person has" if number == 1 else f"{number:,} people have"
        notify(
            tone=Notice.Tone.TO_DO,
            text=f"{people} said STOP to the carrier, and it had not reached us. They are texted no more.",
            permission=Permission.CONTACTS_VIEW,
            url="/consent/",
            now=now,
        )


def _write(phone: str, number_id: int, words: str, now: datetime) -> None:
    CarrierDifference.objects.create(
        organization_id=current_organization_id(), phone=phone, sender_number_id=number_id, words=words, found_at=now
    )


_CAME_BACK = """
SELECT 1 FROM consent_optout WHERE organization_id = %s AND phone = %s AND lifted_at > %s
"""

_BLOCKED = """
SELECT b.phone, b.sender_number_id FROM consent_carrierblock b
WHERE b.organization_id = %s AND b.lifted_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM consent_optout o
    WHERE o.organization_id = b.organization_id AND o.phone = b.phone
        AND (o.lifted_at IS NULL OR o.lifted_at > b.blocked_at))
ORDER BY b.phone
"""
