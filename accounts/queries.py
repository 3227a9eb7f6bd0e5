"""Reads of people and organizations."""

from dataclasses import dataclass, replace
from datetime import date

from django.db.models import QuerySet

from accounts.models import BlackoutDate, Department, Membership, Notice, Organization, User, VerifiedPhone
from accounts.rules.permissions import Permission, Role, allows
from common.tenancy import across_organizations, current_organization_id


@dataclass(frozen=True, slots=True)
class Member:
    """A signed-in person in one organization: what views ask for permission.

    `department_id` is the department whose numbers the person looks at; None: all of them.
    """

    user_id: int
    organization_id: int
    organization_name: str
    time_zone: str
    campaigns_enabled: bool
    role: Role
    department_id: int | None = None

    def may(self, permission: Permission) -> bool:
        return allows(self.role, permission)


@dataclass(frozen=True, slots=True)
class Belonging:
    """What a person can be signed in as: the organization in view, and what can be switched to."""

    member: Member
    others: tuple[Member, ...]
    departments: tuple[tuple[int, str], ...]


def belonging_of_user(user_id: int, *, organization_id: int | None, department_id: int | None) -> Belonging | None:
    """The person in the organization and department chosen, else in the oldest; None: in no organization."""
    with across_organizations(because="sign-in finds the person's organizations before one is chosen"):
        members = [_member(row) for row in _memberships(user_id)]
        if not members:
            return None
        chosen = next((member for member in members if member.organization_id == organization_id), members[0])
        departments = Department.objects.filter(organization_id=chosen.organization_id).order_by("name")
        names = tuple(departments.values_list("id", "name"))
    known = department_id if department_id in dict(names) else None
    return Belonging(
        member=replace(chosen, department_id=known),
        others=tuple(member for member in members if member is not chosen),
        departments=names,
    )


def members_of_user(user_id: int) -> list[Member]:
    """Every organization in which the person has a role, oldest first."""
    with across_organizations(because="sign-in finds the person's organizations before one is chosen"):
        return [_member(row) for row in _memberships(user_id)]


def open_notices(member: Member) -> QuerySet[Notice]:
    """Notices that nobody has put away, as far as the member may act on them: what is to do first, newest first."""
    found = Notice.objects.filter(dismissed_at=None, permission__in=[p for p in Permission if member.may(p)])
    return found.order_by("-tone", "-id")  # "warning" before "success"


def departments() -> QuerySet[Department]:
    """The departments of the organization in scope, by name."""
    return Department.objects.order_by("name")


def current_organization() -> Organization:
    """The organization in scope."""
    return Organization.objects.get(id=current_organization_id())


def chosen_columns(user_id: int) -> list[str]:
    """What the table of contacts shows a person, as they chose."""
    found = Membership.objects.filter(user_id=user_id).values_list("contact_columns", flat=True).first()
    return list(found or ())


def days_off(*, since: date) -> list[BlackoutDate]:
    """Days without promotional texts of the organization in scope, in order."""
    return list(BlackoutDate.objects.filter(day__gte=since).order_by("day"))


def phone_of_user(user_id: int) -> VerifiedPhone | None:
    """The phone that a person has named for tests, proven or not yet."""
    return VerifiedPhone.objects.filter(user_id=user_id).first()


def user_name(user_id: int | None) -> str:
    """What a person is called; empty: nobody, or one who is gone."""
    found = User.objects.filter(id=user_id or 0).first()
    return str(found) if found else ""


def organizations_named(name: str) -> list[Organization]:
    """Those of a name, or the one of a number; for operators."""
    with across_organizations(because="an operator names one"):
        found = Organization.objects.filter(id=int(name)) if name.isdecimal() else Organization.objects.none()
        return list(found) or list(Organization.objects.filter(name__iexact=name).order_by("id"))


def organization_ids() -> list[int]:
    """Every organization, oldest first: for jobs that serve one after the other."""
    with across_organizations(because="a job serves every organization in turn"):
        return list(Organization.objects.order_by("id").values_list("id", flat=True))


def _memberships(user_id: int) -> list[Membership]:
    return list(Membership.objects.filter(user_id=user_id).select_related("organization").order_by("id"))


def _member(row: Membership) -> Member:
    return Member(
        user_id=row.user_id,
        organization_id=row.organization_id,
        organization_name=row.organization.name,
        time_zone=row.organization.time_zone,
        campaigns_enabled=row.organization.campaigns_enabled,
        role=Role(row.role),
    )
