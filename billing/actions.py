"""Moving credits. Every action here locks the organization's CreditAccount first: the ledger has one writer at a time.

Counting what was handed over (`count_captures`) does not: it is on the dispatcher's path and locks reservations only.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import F, Q
from django.urls import reverse

from accounts.actions import audit, notify
from accounts.models import Notice
from accounts.rules.permissions import Permission
from billing.models import (
    CreditAccount,
    CreditEntry,
    CreditLot,
    CreditOrder,
    EntryKind,
    LotKind,
    Plan,
    Reservation,
    ReservationLot,
)
from common.actor import SYSTEM, Actor
from common.errors import DomainError
from common.tenancy import current_organization_id

_ENTRY_OF_LOT = {
    LotKind.PLAN: EntryKind.GRANT,
    LotKind.PURCHASED: EntryKind.PURCHASE,
    LotKind.BONUS: EntryKind.BONUS,
}


class NotEnoughCredits(DomainError):
    """`facts`: missing, available, needed."""

    code = "not_enough_credits"


class OrderSettled(DomainError):
    code = "order_settled"


class ReservedOtherwise(DomainError):
    code = "reserved_otherwise"


def open_account(*, plan: Plan, actor: Actor, now: datetime) -> CreditAccount:
    """Give the organization in scope its account, with the plan's credits of the first month."""
    account = CreditAccount.objects.create(organization_id=current_organization_id(), plan=plan)
    if plan.monthly_credits:
        add_credits(
            kind=LotKind.PLAN,
            credits=plan.monthly_credits,
            reference=f"plan:{plan.code}:{now:%Y-%m}",
            actor=actor,
            now=now,
        )
        account.refresh_from_db()
    return account


def add_credits(
    *,
    kind: LotKind,
    credits: int,
    reference: str,
    actor: Actor,
    now: datetime,
    expires_at: datetime | None = None,
) -> CreditLot:
    """Add a lot of credits. `reference` makes it once: the same one again is refused by the database."""
    account = _locked_account()
    lot = CreditLot.objects.create(
        organization_id=account.organization_id, kind=kind, balance=credits, expires_at=expires_at, created_at=now
    )
    _post(account, _ENTRY_OF_LOT[kind], lot, amount=credits, reference=reference, key=reference, actor=actor, now=now)
    return lot


def order_credits(*, credits: int, form_id: UUID, actor: Actor, now: datetime) -> CreditOrder:
    """Order credits on invoice at the plan's price; they are there once the payment is noted. Once for each form.

    Raises OrderSettled where the form ordered something else before.
    """
    order: CreditOrder
    order, created = CreditOrder.objects.get_or_create(
        organization_id=current_organization_id(),
        form_id=form_id,
        defaults={
            "credits": credits,
            "price_micros": CreditAccount.objects.select_related("plan").get().plan.price_micros,
            "ordered_by": actor.label,
            "created_at": now,
        },
    )
    if order.credits != credits or order.state != CreditOrder.State.OPEN:
        raise OrderSettled("This form was sent already. Open “Buy credits” again to order more.")
    if created:
        audit(action="credits.ordered", subject=order, actor=actor, now=now, credits=credits)
    return order


def cancel_order(order_id: int, *, actor: Actor, now: datetime) -> None:
    """Take back an order that is not paid. Raises OrderSettled."""
    order = _open_order(order_id)
    _settle(order, CreditOrder.State.CANCELED, actor, now)


def mark_order_paid(order_id: int, *, actor: Actor, now: datetime) -> None:
    """The payment came: add the credits, once. Raises OrderSettled."""
    order = _open_order(order_id)
    add_credits(kind=LotKind.PURCHASED, credits=order.credits, reference=f"order:{order.id}", actor=actor, now=now)
    _settle(order, CreditOrder.State.PAID, actor, now)
    notify(
        tone=Notice.Tone.GOOD,
        text=f"Your payment is noted: {order.credits:,} credits are yours.",
        url=reverse("dashboard:ledger"),
        permission=Permission.BILLING_VIEW,
        now=now,
    )


def _open_order(order_id: int) -> CreditOrder:
    order: CreditOrder = CreditOrder.objects.select_for_update().get(id=order_id)
    if order.state != CreditOrder.State.OPEN:
        raise OrderSettled("This order is settled already. Look at the page again.")
    return order


def _settle(order: CreditOrder, state: CreditOrder.State, actor: Actor, now: datetime) -> None:
    order.state, order.settled_at = state, now
    order.save(update_fields=["state", "settled_at"])
    audit(action="credits.order_settled", subject=order, actor=actor, now=now, state=state)


def reserve(*, credits: int, reference: str, actor: Actor, now: datetime) -> Reservation:
    """Hold credits for something under way, once for each reference; all of them or none.

    Raises NotEnoughCredits, which says how many are missing and how to get them, or ReservedOtherwise where the
    reference was used for another amount, or is closed.
    """
    account = _locked_account()
    existing = Reservation.objects.filter(reference=reference).first()
    if existing is not None:
        if existing.state == Reservation.State.CLOSED or existing.credits != credits:
            raise ReservedOtherwise("These credits were held once already. Ask for a new quote and confirm that.")
        return existing
    lots = _usable_lots(now)
    _refuse_if_missing(credits, lots)
    reservation = Reservation.objects.create(
        organization_id=account.organization_id, reference=reference, credits=credits, created_at=now
    )
    _allocate(account, reservation, credits, lots, actor, now)
    return reservation


def hold_more(*, credits: int, reference: str, actor: Actor, now: datetime) -> Reservation:
    """Hold credits on a standing reservation, which grows with each text outside campaigns; made at its first use.

    Raises NotEnoughCredits, or ReservedOtherwise where it is closed.
    """
    account = _locked_account()
    reservation = Reservation.objects.select_for_update(no_key=True).filter(reference=reference).first()
    if reservation is not None and reservation.state == Reservation.State.CLOSED:
        raise ReservedOtherwise("This day's texts are settled already. Try again.")
    lots = _usable_lots(now)
    _refuse_if_missing(credits, lots)
    if reservation is None:
        reservation = Reservation(
            organization_id=account.organization_id, reference=reference, credits=0, created_at=now
        )
    reservation.credits += credits
    reservation.save()
    _allocate(account, reservation, credits, lots, actor, now)
    return reservation


def count_captures(credits_by_reservation: Mapping[int, int]) -> None:
    """Count credits of messages that were handed over; CAPTURE entries follow within a minute.

    Call it in the transaction that moves the messages: the two stand or fall together.
    """
    counted = sorted((key, value) for key, value in credits_by_reservation.items() if value)
    if not counted:
        return
    ids = [key for key, _ in counted]
    with connection.cursor() as cursor:
        # Locked in the order of ids, or two dispatchers with the same two campaigns would wait for each other.
        cursor.execute("SELECT id FROM billing_reservation WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", [ids])
        cursor.execute(
            "UPDATE billing_reservation r SET captured = r.captured + c.credits"
            " FROM unnest(%s::bigint[], %s::bigint[]) AS c(id, credits) WHERE r.id = c.id",
            [ids, [value for _, value in counted]],
        )


def post_captures(*, now: datetime, reservation_ids: list[int] | None = None) -> int:
    """Write CAPTURE entries for what was counted since the last time; return how many credits."""
    account = _locked_account()
    waiting = Reservation.objects.select_for_update(no_key=True).filter(captured__gt=F("posted"))
    if reservation_ids is not None:
        waiting = waiting.filter(id__in=reservation_ids)
    posted = 0
    for reservation in waiting.order_by("id"):
        posted += _post_captures_of(account, reservation, now)
    return posted


def close_reservation(reservation_id: int, *, actor: Actor = SYSTEM, now: datetime) -> None:
    """Post what was captured, give back the rest, hold nothing more. A second call changes nothing."""
    account = _locked_account()
    reservation = Reservation.objects.select_for_update(no_key=True).get(id=reservation_id)
    if reservation.state == Reservation.State.CLOSED:
        return
    _post_captures_of(account, reservation, now)
    for part in reservation.lots.select_related("lot").order_by("id"):
        rest = part.credits - part.posted
        if rest:
            _post(
                account,
                EntryKind.RELEASE,
                part.lot,
                held=-rest,
                reference=reservation.reference,
                key=f"release:{reservation.id}:{part.lot_id}",
                actor=actor,
                now=now,
            )
            if part.lot.expires_at is not None and part.lot.expires_at <= now:
                _expire(account, part.lot, rest, reservation, now)
    reservation.state, reservation.closed_at = Reservation.State.CLOSED, now
    reservation.save(update_fields=["state", "closed_at"])


def _locked_account() -> CreditAccount:
    account: CreditAccount = CreditAccount.objects.select_for_update(no_key=True).get(
        organization_id=current_organization_id()
    )
    return account


def _refuse_if_missing(credits: int, lots: list[CreditLot]) -> None:
    available = sum(lot.balance - lot.held for lot in lots)
    if credits > available:
        missing = credits - available
        raise NotEnoughCredits(
            f"This needs {credits:,} credits and {available:,} are available: {missing:,} are missing. "
            "Buy credits under Billing, or choose fewer recipients.",
            missing=missing,
            available=available,
            needed=credits,
        )


def _usable_lots(now: datetime) -> list[CreditLot]:
    """Lots with credits left that have not expired, those that expire soonest first."""
    lots = CreditLot.objects.filter(balance__gt=F("held")).filter(Q(expires_at=None) | Q(expires_at__gt=now))
    return list(lots.order_by(F("expires_at").asc(nulls_last=True), "id"))


def _allocate(
    account: CreditAccount,
    reservation: Reservation,
    credits: int,
    lots: list[CreditLot],
    actor: Actor,
    now: datetime,
) -> None:
    """Take credits for a reservation from the lots in their order; it may hold some of a lot already."""
    left = credits
    for lot in lots:
        if not left:
            break
        take = min(left, lot.balance - lot.held)
        part, _ = ReservationLot.objects.get_or_create(
            organization_id=account.organization_id, reservation=reservation, lot=lot, defaults={"credits": 0}
        )
        part.credits += take
        part.save(update_fields=["credits"])
        _post(
            account,
            EntryKind.RESERVE,
            lot,
            held=take,
            reference=reservation.reference,
            key=f"reserve:{reservation.id}:{lot.id}:{part.credits}",
            actor=actor,
            now=now,
        )
        left -= take


def _post_captures_of(account: CreditAccount, reservation: Reservation, now: datetime) -> int:
    fresh = reservation.captured - reservation.posted
    left = fresh
    if fresh:
        reservation.sequence += 1
    for part in reservation.lots.select_related("lot").order_by("id"):
        take = min(left, part.credits - part.posted)
        if not take:
            continue
        part.posted += take
        part.save(update_fields=["posted"])
        _post(
            account,
            EntryKind.CAPTURE,
            part.lot,
            amount=-take,
            held=-take,
            reference=reservation.reference,
            key=f"capture:{reservation.id}:{reservation.sequence}:{part.lot_id}",
            actor=SYSTEM,
            now=now,
        )
        left -= take
    reservation.posted = reservation.captured
    reservation.save(update_fields=["posted", "sequence"])
    return fresh


def _expire(account: CreditAccount, lot: CreditLot, credits: int, reservation: Reservation, now: datetime) -> None:
    _post(
        account,
        EntryKind.EXPIRE,
        lot,
        amount=-credits,
        reference=reservation.reference,
        key=f"expire:{reservation.id}:{lot.id}",
        actor=SYSTEM,
        now=now,
    )


def _post(
    account: CreditAccount,
    kind: EntryKind,
    lot: CreditLot,
    *,
    amount: int = 0,
    held: int = 0,
    reference: str,
    key: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Write one entry and carry it into the caches of lot and account."""
    CreditEntry.objects.create(
        organization_id=account.organization_id,
        kind=kind,
        amount=amount,
        held=held,
        lot=lot,
        reference=reference,
        idempotency_key=key,
        actor_label=actor.label,
        occurred_at=now,
    )
    if kind not in _ENTRY_OF_LOT.values():  # a new lot was created with its balance
        lot.balance += amount
        lot.held += held
        lot.save(update_fields=["balance", "held"])
    account.balance += amount
    account.held += held
    account.save(update_fields=["balance", "held"])
