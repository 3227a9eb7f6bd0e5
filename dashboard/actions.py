"""Opening a tenant: what several apps do together when somebody signs up."""

from datetime import datetime

from accounts.actions import create_organization
from accounts.models import Organization, User
from billing.actions import open_account
from billing.queries import plan_named
from common.actor import Actor
from common.tenancy import across_organizations, organization_scope

FIRST_PLAN = "personal"


def open_organization(
    *, name: str, owner: User, now: datetime, time_zone: str = "America/New_York", plan: str = FIRST_PLAN
) -> Organization:
    """Create a tenant with its owner and its credit account, all or nothing."""
    with across_organizations(because="a tenant that does not exist yet has no scope"):
        organization = create_organization(name=name, owner=owner, time_zone=time_zone, now=now)
        with organization_scope(organization.id):
            open_account(plan=plan_named(plan), actor=Actor(label=str(owner), user_id=owner.id), now=now)
    return organization
