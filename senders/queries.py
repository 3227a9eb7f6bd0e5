"""Reads of numbers and carrier accounts."""

from dataclasses import dataclass

from django.db.models import QuerySet

from common.tenancy import across_organizations
from senders.models import CarrierAccount, NumberRequest, NumberStatus, SenderKind, SenderNumber


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


def numbers(*, department_id: int | None = None) -> QuerySet[SenderNumber]:
    """The numbers of the organization in scope, or of one of its departments, oldest first."""
    found = SenderNumber.objects.select_related("department").order_by("id")
    return found if department_id is None else found.filter(department_id=department_id)


def registered_numbers(*, department_id: int | None = None) -> QuerySet[SenderNumber]:
    """The numbers that may start a campaign."""
    return numbers(department_id=department_id).filter(status=NumberStatus.REGISTERED)


def registrable_numbers() -> QuerySet[SenderNumber]:
    """Numbers that carriers want to know about; names are activated by staff."""
    return numbers().exclude(kind=SenderKind.ALPHANUMERIC)


def newest_number_request() -> NumberRequest | None:
    """What became of the organization's last wish for a number."""
    return NumberRequest.objects.order_by("-id").first()


def open_number_requests() -> QuerySet[NumberRequest]:
    """Oldest first: for staff, across organizations."""
    found = NumberRequest.objects.filter(state=NumberRequest.State.OPEN)
    return found.select_related("organization", "department").order_by("id")


def platform_accounts() -> QuerySet[CarrierAccount]:
    """The platform's own accounts at carriers: for staff, across organizations."""
    return CarrierAccount.objects.filter(organization=None).order_by("id")
