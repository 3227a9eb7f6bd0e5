"""The carrier as witness: what it knows of people who said stop is held against what we know."""

from collections.abc import Sequence
from datetime import datetime

from common.sql import fetch_all
from common.tenancy import current_organization_id, organization_scope
from consent.actions import note_carrier_opt_out
from consent.models import CarrierDifference
from consent.queries import is_opted_out
from consent.rules.keywords import Keyword, keyword_of
from messaging.actions.receiving import replay_inbound
from messaging.gateways.base import CarrierMessage, ErrorKind
from messaging.gateways.registry import kind_of_error
from messaging.models import InboundText
from senders.models import CarrierAccount, SenderNumber


def hold_against_ours(account_sid: str, listed: Sequence[CarrierMessage], *, now: datetime) -> int:
    """Obey texts of people that never reached us, and refusals as opted out; return how many differences were noted.

    Runs across organizations; each difference is noted in its own.
    """
    inbound = [one for one in listed if one.inbound]
    known = set(InboundText.objects.filter(sid__in=[one.sid for one in inbound]).values_list("sid", flat=True))
    missed = [one for one in inbound if one.sid not in known]
    replay_inbound(account_sid, missed, now=now)
    noted = 0
    for one in missed:
        if keyword_of(one.body) is Keyword.STOP:
            words = f"Said STOP on {one.created_at:%Y-%m-%d %H:%M} UTC; it reached the carrier and not us. Obeyed now."
            noted += _note(account_sid, sender=one.phone, phone=one.sender, words=words, now=now)
    for one in listed:
        if (
            not one.inbound
            and one.error_code is not None
            and kind_of_error(CarrierAccount.Gateway.TWILIO, one.error_code) is ErrorKind.OPT_OUT
        ):
            words = f"The carrier refused a text as opted out ({one.error_code}) and we had no opt-out. Noted now."
            noted += _note(account_sid, sender=one.sender, phone=one.phone, words=words, now=now, stop=True)
    return noted


def _note(account_sid: str, *, sender: str, phone: str, words: str, now: datetime, stop: bool = False) -> int:
    number = SenderNumber.objects.filter(carrier_account__account_sid=account_sid, sender=sender).first()
    if number is None:
        return 0
    with organization_scope(number.organization_id):
        if stop:
            if is_opted_out(phone) or _came_back(phone, number.id):
                return 0
            note_carrier_opt_out(phone, sender_number_id=number.id, now=now)
        _write(phone, number.id, words, now)
    return 1


def _came_back(phone: str, number_id: int) -> bool:
    """Whether the person texted START to this number since: then the refusal is an old one."""
    return bool(fetch_all(_CAME_BACK, [current_organization_id(), phone, number_id]))


_CAME_BACK = """
SELECT 1 FROM consent_optout o WHERE o.organization_id = %s AND o.phone = %s AND o.lifted_at IS NOT NULL
    AND NOT EXISTS (
        SELECT 1 FROM consent_carrierblock b
        WHERE b.organization_id = o.organization_id AND b.phone = o.phone AND b.sender_number_id = %s
            AND b.lifted_at IS NULL)
"""


def stop_blocked(*, now: datetime) -> int:
    """Blocks of a number that no opt-out stands beside become opt-outs, in the organization in scope; how many."""
    rows = fetch_all(_BLOCKED, [current_organization_id()])
    for phone, number_id in rows:
        note_carrier_opt_out(phone, sender_number_id=number_id, now=now)
        _write(phone, number_id, "The network blocks our texts and we had no opt-out. Noted now.", now)
    return len(rows)


def _write(phone: str, number_id: int, words: str, now: datetime) -> None:
    CarrierDifference.objects.create(
        organization_id=current_organization_id(), phone=phone, sender_number_id=number_id, words=words, found_at=now
    )


_BLOCKED = """
SELECT b.phone, b.sender_number_id FROM consent_carrierblock b
WHERE b.organization_id = %s AND b.lifted_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM consent_optout o
    WHERE o.organization_id = b.organization_id AND o.phone = b.phone AND o.lifted_at IS NULL)
ORDER BY b.phone
"""
