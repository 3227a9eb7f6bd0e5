"""Reads of credits."""

from django.db.models import F

from billing.models import CreditAccount, Plan, Reservation
from billing.rules.pricing import Basis
from common.tenancy import across_organizations


def current_account() -> CreditAccount:
    """The account of the organization in scope, with its plan."""
    account: CreditAccount = CreditAccount.objects.select_related("plan").get()
    return account


def current_basis() -> Basis:
    return Basis(current_account().plan.basis)


def plan_named(code: str) -> Plan:
    return Plan.objects.get(code=code)


def reservation(reservation_id: int) -> Reservation:
    found: Reservation = Reservation.objects.get(id=reservation_id)
    return found


def organizations_with_captures() -> list[int]:
    """Organizations whose reservations counted captures that no entry holds yet."""
    with across_organizations(because="the minute's posting looks for work in every organization"):
        waiting = Reservation.objects.filter(captured__gt=F("posted"))
        return sorted(set(waiting.values_list("organization_id", flat=True)))
