"""What the demo needs before the walk: people, a tenant with credits, a program, a registered number."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from accounts.models import Department, Organization, User
from accounts.rules.permissions import StaffRole
from billing.actions import add_credits
from billing.models import LotKind
from common.actor import Actor
from common.tenancy import organization_scope
from config.stack import AUTH_TOKEN, Stack
from consent.actions import create_program
from consent.models import Program
from consent.rules.media import Level
from dashboard.actions import open_organization
from registration.actions import approve_registration, submit_registration
from senders.actions import add_carrier_account, add_number
from senders.models import CarrierAccount, SenderKind, SenderNumber

CREDITS = 1_000_000
OPT_IN_TEXT = (
    "I agree to receive office updates from {name} by text. Msg frequency varies. Msg & data rates may apply. "
    "Reply HELP for help, STOP to stop. Terms and privacy: https://example.org/sms"
)


@dataclass(frozen=True, slots=True)
class SignIn:
    email: str
    password: str


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant that can send."""

    organization: Organization
    owner: Actor
    program: Program
    numbers: tuple[SenderNumber, ...]
    owner_sign_in: SignIn
    staff_sign_in: SignIn


def seed_tenant(
    stack: Stack,
    *,
    now: datetime,
    rate: float | None,
    level: Level = Level.INFORMATIONAL,
    numbers: int = 1,
    gateway: CarrierAccount.Gateway = CarrierAccount.Gateway.TWILIO,
    credits: int = CREDITS,
    kind: SenderKind = SenderKind.TOLL_FREE,
    plan: str = "metered",
) -> Tenant:
    """A new organization each time; its numbers are approved by the demo's staff."""
    serial = secrets.token_hex(4)
    owner, owner_sign_in = _person(f"owner-{serial}@demo.example", "Olivia Owner")
    staff, staff_sign_in = _person(f"staff-{serial}@demo.example", "Ravi Staff", StaffRole.OPERATOR)
    organization = open_organization(name=f"Demo Offices {serial}", owner=owner, now=now, plan=plan)
    account = add_carrier_account(
        gateway=gateway,
        account_sid=stack.simulator.account_sid if gateway == CarrierAccount.Gateway.TWILIO else "NULL",
        auth_token=AUTH_TOKEN,
        base_url=stack.simulator.base_url,
        now=now,
    )
    actor = Actor(label=str(owner), user_id=owner.id)
    with organization_scope(organization.id):
        add_credits(kind=LotKind.PURCHASED, credits=credits, reference="demo", actor=actor, now=now)
        program = create_program(
            name="Office updates",
            level=level,
            brand=organization.name,
            opt_in_text=OPT_IN_TEXT.format(name=organization.name),
            actor=actor,
            now=now,
        )
        rented = tuple(_number(account, organization, index, rate, kind, actor, staff, now) for index in range(numbers))
    if gateway == CarrierAccount.Gateway.TWILIO:
        for number in rented:
            stack.simulator.add_number(
                number.sender,
                rate=rate,
                inbound_url=stack.inbound_url,
                toll_free=kind == SenderKind.TOLL_FREE,
            )
    return Tenant(organization, actor, program, rented, owner_sign_in, staff_sign_in)


def _number(
    account: CarrierAccount,
    organization: Organization,
    index: int,
    rate: float | None,
    kind: SenderKind,
    actor: Actor,
    staff: User,
    now: datetime,
) -> SenderNumber:
    number = add_number(
        carrier_account_id=account.id,
        sender=f"+1888{secrets.randbelow(8_000_000) + 2_000_000}",
        kind=kind,
        segments_per_second=None if rate is None else Decimal(str(rate)),
        department=Department.objects.order_by("id")[0],
        can_mms=True,
        actor=actor,
        now=now,
    )
    registration = submit_registration(
        number=number,
        use_case="Updates of an office to people who asked for them",
        sample_text="Hello Ada, the office is open until six today. Reply STOP to stop.",
        opt_in_type="WEB_FORM",
        actor=actor,
        now=now,
    )
    approve_registration(registration.id, reviewer=Actor(label=str(staff), user_id=staff.id), now=now)
    number.refresh_from_db()
    return number


def _person(email: str, name: str, staff_role: str = "") -> tuple[User, SignIn]:
    password = secrets.token_urlsafe(9)
    user = User.objects.create_user(email, password, name=name, staff_role=staff_role)
    return user, SignIn(email, password)
