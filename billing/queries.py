"""Reads of credits."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, QuerySet, Sum

from billing.models import CreditAccount, CreditEntry, CreditLot, CreditOrder, EntryKind, LotKind, Plan, Reservation
from billing.rules.pricing import Basis
from common.tenancy import across_organizations


def current_account() -> CreditAccount:
    """The account of the organization in scope, with its plan."""
    account: CreditAccount = CreditAccount.objects.select_related("plan").get()
    return account


def credits_used(*, since: datetime) -> int:
    """Credits that were charged since a moment: what entries hold, and what was captured since the last of them."""
    entries = CreditEntry.objects.filter(kind=EntryKind.CAPTURE, occurred_at__gte=since)
    posted = entries.aggregate(Sum("amount"))["amount__sum"] or 0
    waiting = Reservation.objects.filter(captured__gt=F("posted"))
    return int(waiting.aggregate(sum=Sum(F("captured") - F("posted")))["sum"] or 0) - int(posted)


def orders() -> QuerySet[CreditOrder]:
    """The newest orders of the organization in scope."""
    return CreditOrder.objects.order_by("-id")[:5]


def open_orders() -> QuerySet[CreditOrder]:
    """Orders that wait for their payment, longest first: for staff, across organizations."""
    return CreditOrder.objects.filter(state=CreditOrder.State.OPEN).select_related("organization").order_by("id")


def current_basis() -> Basis:
    return Basis(current_account().plan.basis)


@dataclass(frozen=True, slots=True)
class Cover:
    """What credits of a price come from: those of the month, bought ones, and those that are missing."""

    included: int
    bought: int
    missing: int


def cover_of(credits: int) -> Cover:
    """How a price would be covered now: credits of the month go first, as a reservation takes them."""
    lots = CreditLot.objects.values("kind").annotate(free=Sum(F("balance") - F("held")))
    free = {row["kind"]: row["free"] for row in lots}
    included = min(credits, free.get(LotKind.PLAN, 0))
    bought = min(credits - included, sum(free.values()) - free.get(LotKind.PLAN, 0))
    return Cover(included, bought, credits - included - bought)


def plan_named(code: str) -> Plan:
    return Plan.objects.get(code=code)


PAGE = 50


def entries(*, before_id: int | None = None) -> tuple[list[CreditEntry], int | None]:
    """The newest entries of the ledger before an id, and the id that the next page begins before (None: the end)."""
    found = CreditEntry.objects.order_by("-id")
    if before_id is not None:
        found = found.filter(id__lt=before_id)
    page = list(found[: PAGE + 1])
    shown = page[:PAGE]
    return shown, shown[-1].id if len(page) > PAGE else None


def reservation(reservation_id: int) -> Reservation:
    found: Reservation = Reservation.objects.get(id=reservation_id)
    return found


def organizations_with_captures() -> list[int]:
    """Organizations whose reservations counted captures that no entry holds yet."""
    with across_organizations(because="the minute's posting looks for work in every organization"):
        waiting = Reservation.objects.filter(captured__gt=F("posted"))
        return sorted(set(waiting.values_list("organization_id", flat=True)))
