"""Reads of people and organizations."""

from dataclasses import dataclass

from accounts.models import Membership, Organization
from accounts.rules.permissions import Permission, Role, allows
from common.tenancy import across_organizations, current_organization_id


@dataclass(frozen=True, slots=True)
class Member:
    """A signed-in person in one organization: what views ask for permission."""

    user_id: int
    organization_id: int
    organization_name: str
    role: Role

    def may(self, permission: Permission) -> bool:
        return allows(self.role, permission)


def members_of_user(user_id: int) -> list[Member]:
    """Every organization in which the person has a role, oldest first."""
    with across_organizations(because="sign-in finds the person's organizations before one is chosen"):
        rows = Membership.objects.filter(user_id=user_id).select_related("organization").order_by("id")
        return [
            Member(
                user_id=row.user_id,
                organization_id=row.organization_id,
                organization_name=row.organization.name,
                role=Role(row.role),
            )
            for row in rows
        ]


def current_organization() -> Organization:
    """The organization in scope."""
    return Organization.objects.get(id=current_organization_id())


def organization_ids() -> list[int]:
    """Every organization, oldest first: for jobs that serve one after the other."""
    with across_organizations(because="a job serves every organization in turn"):
        return list(Organization.objects.order_by("id").values_list("id", flat=True))
