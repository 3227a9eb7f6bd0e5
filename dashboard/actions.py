"""What several apps do together: opening a tenant, a person's opt-out, days off."""

from datetime import date, datetime

from accounts.actions import add_day_off, audit, create_organization, remove_day_off
from accounts.models import Organization, User
from billing.actions import open_account
from billing.queries import plan_named
from campaigns.actions import plan_anew
from common.actor import Actor
from common.tenancy import across_organizations, organization_scope
from consent.actions import opt_out_by_staff
from contacts.models import Contact
from contacts.queries import phones_of

FIRST_PLAN = "personal"


def opt_out_contact(contact: Contact, *, actor: Actor, now: datetime) -> None:
    """Somebody of the organization was told by the person: no more texts, to any of the phones."""
    for row in phones_of(contact):
        opt_out_by_staff(row.phone, actor=actor, now=now)
    audit(action="contact.opted_out", subject=contact, actor=actor, now=now)


def close_day(day: date, *, name: str, actor: Actor, now: datetime) -> None:
    """No promotional texts on that day; campaigns under way are planned anew. Raises SettingRefused."""
    add_day_off(day, name=name, actor=actor, now=now)
    plan_anew(now=now)


def open_day(day_id: int, *, actor: Actor, now: datetime) -> None:
    """Promotional texts on that day again; campaigns under way are planned anew."""
    remove_day_off(day_id, actor=actor, now=now)
    plan_anew(now=now)


def open_organization(
    *, name: str, owner: User, now: datetime, time_zone: str = "America/New_York", plan: str = FIRST_PLAN
) -> Organization:
    """Create a tenant with its owner and its credit account, all or nothing."""
    with across_organizations(because="a tenant that does not exist yet has no scope"):
        organization = create_organization(name=name, owner=owner, time_zone=time_zone, now=now)
        with organization_scope(organization.id):
            open_account(plan=plan_named(plan), actor=Actor(label=str(owner), user_id=owner.id), now=now)
    return organization
