"""Numbers: adding them, and the status that decides whether they may text."""

from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts.actions import audit, notify
from accounts.models import Department, Notice
from accounts.rules.permissions import Permission
from common.actor import Actor
from common.errors import DomainError
from common.tenancy import across_organizations, current_organization_id
from senders.models import CarrierAccount, NumberRequest, NumberStatus, SenderKind, SenderNumber
from senders.rules.lanes import lane_of


class NotYours(DomainError):
    code = "not_yours"


class NumberRefused(DomainError):
    code = "number_refused"


def add_carrier_account(
    *,
    gateway: CarrierAccount.Gateway,
    account_sid: str,
    auth_token: str,
    base_url: str,
    now: datetime,
    organization_id: int | None = None,
) -> CarrierAccount:
    """Note credentials at a carrier; an account that is known already gets the token and address given.

    Raises NotYours where another organization has noted it.
    """
    with across_organizations(because="the platform's accounts belong to no organization"):
        known = CarrierAccount.objects.select_for_update().filter(account_sid=account_sid).first()
        if known is not None and known.organization_id != organization_id:
            raise NotYours("This carrier account is in use elsewhere. Ask the platform's staff to look into it.")
        account, _ = CarrierAccount.objects.update_or_create(
            account_sid=account_sid,
            defaults={
                "gateway": gateway,
                "auth_token": auth_token,
                "base_url": base_url,
            },
            create_defaults={
                "gateway": gateway,
                "auth_token": auth_token,
                "base_url": base_url,
                "organization_id": organization_id,
                "created_at": now,
            },
        )
    return account


def add_number(
    *,
    carrier_account_id: int,
    sender: str,
    kind: SenderKind,
    segments_per_second: Decimal | None,
    department: Department,
    actor: Actor,
    now: datetime,
    can_mms: bool = False,
) -> SenderNumber:
    """Add a number to the organization in scope; it may text once it is registered. Raises NotYours."""
    with across_organizations(because="the platform's accounts belong to no organization"):
        holder = CarrierAccount.objects.values_list("organization_id", flat=True).get(id=carrier_account_id)
    if holder not in (None, current_organization_id()):
        raise NotYours("This carrier account belongs to another organization. Choose one of yours.")
    number: SenderNumber = SenderNumber.objects.create(
        organization_id=current_organization_id(),
        carrier_account_id=carrier_account_id,
        sender=sender,
        kind=kind,
        segments_per_second=segments_per_second,
        department=department,
        can_mms=can_mms,
        lane=lane_of(sender),
        created_at=now,
    )
    audit(action="number.added", subject=number, actor=actor, now=now, sender=sender)
    return number


def set_number_status(number_id: int, *, status: NumberStatus, actor: Actor, now: datetime) -> None:
    """Register, reject or suspend a number; dispatch follows within a second."""
    number = SenderNumber.objects.select_for_update().get(id=number_id)
    former, number.status = number.status, status
    number.save(update_fields=["status"])
    audit(action="number.status_changed", subject=number, actor=actor, now=now, former=former, status=status)


def request_number(
    *, kind: SenderKind, wish: str, department: Department, actor: Actor, now: datetime
) -> NumberRequest:
    """Ask the platform's staff for a number. Raises NumberRefused while a wish is open."""
    try:
        with transaction.atomic():
            request: NumberRequest = NumberRequest.objects.create(
                organization_id=current_organization_id(),
                kind=kind,
                wish=wish,
                department=department,
                requested_by=actor.label,
                created_at=now,
            )
    except IntegrityError as error:
        raise NumberRefused("You have asked for a number already. Our staff answer that first.") from error
    audit(action="number.requested", subject=request, actor=actor, now=now, kind=kind, wish=wish)
    return request


def give_number(
    request_id: int,
    *,
    sender: str,
    segments_per_second: Decimal | None,
    carrier_account_id: int,
    actor: Actor,
    now: datetime,
    can_mms: bool = False,
) -> SenderNumber:
    """Staff's yes to a request: the number is the organization's. Raises NumberRefused where it is taken.

    A name needs no registration of the business: that staff give it is its activation (D3).
    """
    request = _open_request(request_id)
    try:
        with transaction.atomic():
            number = add_number(
                carrier_account_id=carrier_account_id,
                sender=sender,
                kind=SenderKind(request.kind),
                segments_per_second=segments_per_second,
                department=request.department,
                can_mms=can_mms,
                actor=actor,
                now=now,
            )
    except IntegrityError as error:
        raise NumberRefused(f"{sender} is in use already. Choose another number.") from error
    _answer(request, NumberRequest.State.GIVEN, "", now)
    if number.is_name:
        set_number_status(number.id, status=NumberStatus.REGISTERED, actor=actor, now=now)
        words = f"Your texts can come from “{number}” now: choose it as the sender of a campaign."
    else:
        words = f"Your number {number} is here. Register it for campaigns next."
    notify(
        tone=Notice.Tone.GOOD,
        text=words,
        url=reverse("senders:numbers"),
        permission=Permission.NUMBERS_REGISTER,
        now=now,
    )
    return number


def decline_number(request_id: int, *, answer: str, actor: Actor, now: datetime) -> None:
    """Staff's no, with the reason that the organization reads."""
    request = _open_request(request_id)
    _answer(request, NumberRequest.State.DECLINED, answer, now)
    audit(action="number.declined", subject=request, actor=actor, now=now, answer=answer)
    notify(
        tone=Notice.Tone.TO_DO,
        text=f"We could not give you the number you asked for: {answer}",
        url=reverse("senders:numbers"),
        permission=Permission.NUMBERS_REGISTER,
        now=now,
    )


def _open_request(request_id: int) -> NumberRequest:
    request: NumberRequest = NumberRequest.objects.select_for_update().get(id=request_id)
    if request.state != NumberRequest.State.OPEN:
        raise NumberRefused("Somebody has answered this request already. Look at the queue again.")
    return request


def _answer(request: NumberRequest, state: NumberRequest.State, answer: str, now: datetime) -> None:
    request.state, request.answer, request.answered_at = state, answer, now
    request.save(update_fields=["state", "answer", "answered_at"])
