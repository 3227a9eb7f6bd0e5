import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import AuditEvent, Department, Membership, Organization, User
from accounts.queries import members_of_user
from accounts.rules.permissions import Role
from billing.queries import current_account
from common.tenancy import across_organizations, organization_scope
from tests.world import World

FORM = {
    "email": "ada@bakery.example",
    "password1": "a long enough password",
    "organization": "Ada's Bakery",
    "time_zone": "America/Chicago",
}


def test_signing_up_opens_an_organization_with_owner_department_and_credits(db: None) -> None:
    client = Client()
    response = client.post("/accounts/signup/", FORM)
    assert response.status_code == 302, response.content.decode()
    user = User.objects.get(email="ada@bakery.example")
    (member,) = members_of_user(user.id)
    assert (member.organization_name, member.role) == ("Ada's Bakery", Role.OWNER)
    with organization_scope(member.organization_id):
        assert Department.objects.count() == 1
        assert current_account().balance == 50
        assert AuditEvent.objects.filter(action="organization.created").exists()
    assert "Ada&#x27;s Bakery" in client.get("/").content.decode()


@pytest.mark.parametrize(
    "change", [{"organization": ""}, {"time_zone": "Mars"}, {"password1": "short"}, {"email": "x"}]
)
def test_a_sign_up_that_is_refused_leaves_nothing(db: None, change: dict[str, str]) -> None:
    response = Client().post("/accounts/signup/", FORM | change)
    assert response.status_code == 200
    assert "invalid-feedback" in response.content.decode()
    assert not User.objects.filter(email="ada@bakery.example").exists()
    with across_organizations(because="the test looks for leftovers"):
        assert not Organization.objects.filter(name="Ada's Bakery").exists()
        assert not Membership.objects.filter(user__email="ada@bakery.example").exists()


def test_a_person_who_signed_up_becomes_staff_and_ends_being_it(world: World) -> None:
    for role, expected in (("OPERATOR", 200), ("NONE", 403)):
        call_command("staff", world.owner.email.upper(), "--role", role)
        client = Client()
        client.force_login(
            User.objects.get(id=world.owner.id), backend="allauth.account.auth_backends.AuthenticationBackend"
        )
        assert client.get("/staff/").status_code == expected
    with pytest.raises(CommandError, match="Sign up on the page first"):
        call_command("staff", "nobody@example.org", "--role", "REVIEWER")
