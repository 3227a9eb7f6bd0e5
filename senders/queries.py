"""Reads of numbers and carrier accounts."""

from dataclasses import dataclass

from django.db.models import QuerySet

from common.tenancy import across_organizations
from senders.models import CarrierAccount, NumberStatus, SenderNumber


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a gateway needs to speak for an account; `account_id` is ours, `account_sid` the carrier's."""

    account_id: int
    gateway: str
    account_sid: str
    auth_token: str
    base_url: str


def all_credentials() -> dict[int, Credentials]:
    """Every carrier account by id: for the dispatcher and the carrier endpoint."""
    with across_organizations(because="carrier accounts serve every organization"):
        return {account.id: _credentials(account) for account in CarrierAccount.objects.all()}


def _credentials(account: CarrierAccount) -> Credentials:
    return Credentials(account.id, account.gateway, account.account_sid, account.auth_token, account.base_url)


def numbers() -> QuerySet[SenderNumber]:
    """The numbers of the organization in scope, oldest first."""
    return SenderNumber.objects.select_related("department").order_by("id")


def registered_numbers() -> QuerySet[SenderNumber]:
    """The numbers that may start a campaign."""
    return numbers().filter(status=NumberStatus.REGISTERED)
