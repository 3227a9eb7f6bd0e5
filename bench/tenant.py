"""A tenant with many contacts, as the benches need it."""

import secrets
from dataclasses import dataclass

from django.db import connections

from accounts.models import Organization, User
from accounts.queries import departments
from accounts.rules.permissions import StaffRole
from billing.actions import add_credits
from billing.models import LotKind
from common.actor import Actor
from common.clock import now
from common.sql import run as execute
from common.tenancy import across_organizations, organization_scope
from consent.actions import create_program
from consent.models import Program
from consent.rules.media import Level
from contacts.actions import fill_search
from dashboard.actions import open_organization
from registration.actions import approve_registration, submit_registration
from senders.actions import add_carrier_account, add_number
from senders.models import CarrierAccount, SenderKind, SenderNumber

ACTOR = Actor("bench")


@dataclass(frozen=True, slots=True)
class BenchTenant:
    """A tenant that can send, through a carrier that is none."""

    organization: Organization
    owner: User
    program: Program
    number: SenderNumber


def make_tenant(*, credits: int, plan: str = "metered") -> BenchTenant:
    """A tenant without contacts."""
    serial = secrets.token_hex(4)
    owner = User.objects.create_user(f"bench-{serial}@example.org", "x" * 12, staff_role=StaffRole.OPERATOR)
    organization = open_organization(name=f"Bench {serial}", owner=owner, now=now(), plan=plan)
    account = add_carrier_account(
        gateway=CarrierAccount.Gateway.NULL, account_sid=f"NULL-{serial}", auth_token="", base_url="", now=now()
    )
    with organization_scope(organization.id):
        add_credits(kind=LotKind.PURCHASED, credits=credits, reference="bench", actor=ACTOR, now=now())
        program = create_program(
            name="Updates", level=Level.INFORMATIONAL, brand="B", opt_in_text="I agree.", actor=ACTOR, now=now()
        )
        number = add_number(
            carrier_account_id=account.id,
            sender=f"+1888{secrets.randbelow(8_000_000) + 2_000_000}",
            kind=SenderKind.TOLL_FREE,
            segments_per_second=None,
            department=departments()[0],
            actor=ACTOR,
            now=now(),
        )
        registration = submit_registration(
            number=number, use_case="news", sample_text="Hello", opt_in_type="WEB_FORM", actor=ACTOR, now=now()
        )
        approve_registration(registration.id, reviewer=ACTOR, now=now())
        number.refresh_from_db()
    return BenchTenant(organization, owner, program, number)


def add_people(tenant: BenchTenant, count: int) -> None:
    """Contacts with a phone each; one in twenty has not agreed."""
    facts = {
        "organization": tenant.organization.id,
        "program": tenant.program.id,
        "contacts": count,
        "now": now(),
    }
    with organization_scope(tenant.organization.id):
        for statement in _PEOPLE:
            execute(statement, facts)
    with across_organizations(because="as the worker does"):
        while fill_search():
            pass


def analyze() -> None:
    """Figures of the planner and the visibility map, as autovacuum keeps them."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    connections["owner"].close()


_PEOPLE = (
    """INSERT INTO contacts_contact (organization_id, first_name, last_name, email, company, language, city, region,
        postcode, country, time_zone, custom, created_at, updated_at)
    SELECT %(organization)s, 'First' || n, 'Name' || n, 'p' || n || '@example.org', 'Company ' || n %% 977, '',
        'Town ' || n %% 313, 'AL', '35055', 'US', '', '{}', %(now)s, %(now)s FROM generate_series(1, %(contacts)s) n""",
    """INSERT INTO contacts_contactphone (organization_id, contact_id, label, phone, textable)
    SELECT organization_id, id, 'MOBILE', '+1205' || (row_number() OVER (ORDER BY id) + 2000000), true
    FROM contacts_contact WHERE organization_id = %(organization)s""",
    """INSERT INTO consent_consentstate (organization_id, phone, program_id, granted, changed_at, stopped)
    SELECT organization_id, phone, %(program)s, id %% 20 <> 0, %(now)s, false
    FROM contacts_contactphone WHERE organization_id = %(organization)s""",
    """INSERT INTO contacts_unindexed (organization_id, contact_ids)
    SELECT organization_id, array_agg(id) FROM contacts_contact WHERE organization_id = %(organization)s
    GROUP BY organization_id, id / 5000""",
)
