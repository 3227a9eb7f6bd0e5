"""The isolation matrix: every address, for the anonymous, without the permission, and of another tenant."""

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import Membership
from accounts.rules.permissions import PERMISSIONS, Permission, Role, allows
from tests.conftest import NOW
from tests.world import World, build_world

PUBLIC = {"health": "load balancers ask without signing in"}


def routes() -> list[tuple[str, URLPattern]]:
    """Every route of ours (django-allauth has its own tests)."""

    def walk(resolver: URLResolver, prefix: str) -> list[tuple[str, URLPattern]]:
        found = []
        for entry in resolver.url_patterns:
            path = prefix + str(entry.pattern)
            found += walk(entry, path) if isinstance(entry, URLResolver) else [(path, entry)]
        return found

    return [(path, entry) for path, entry in walk(get_resolver(), "") if not path.startswith("accounts/")]


ROUTES = [(path, entry) for path, entry in routes() if path not in PUBLIC]


@pytest.mark.parametrize(("path", "entry"), ROUTES, ids=[path or "/" for path, _ in ROUTES])
def test_every_page_asks_for_a_permission(path: str, entry: URLPattern) -> None:
    assert entry.callback.permission in set(Permission)  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", [path for path, _ in ROUTES], ids=lambda path: path or "/")
def test_the_anonymous_are_sent_to_sign_in(db: None, path: str) -> None:
    response = Client().get(f"/{path}")
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(("path", "entry"), ROUTES, ids=[path or "/" for path, _ in ROUTES])
def test_a_role_sees_what_its_row_of_the_table_allows(world: World, role: Role, path: str, entry: URLPattern) -> None:
    with world.scope():
        Membership.objects.update(role=role)
    client = Client()
    client.force_login(world.owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    allowed = allows(role, entry.callback.permission)  # type: ignore[attr-defined]
    assert client.get(f"/{path}").status_code == (200 if allowed else 403)


@pytest.mark.parametrize("path", [path for path, _ in ROUTES], ids=lambda path: path or "/")
def test_nothing_of_another_tenant_is_shown(world: World, path: str) -> None:
    other = build_world(NOW)
    other.add_contact("+12567346043")
    other.launch(other.campaign(body="Secret of the other"))
    client = Client()
    client.force_login(world.owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = client.get(f"/{path}").content.decode()
    assert other.organization.name not in page
    assert "News" not in page
    assert other.number.sender not in page


def test_a_person_without_an_organization_sees_nothing(world: World) -> None:
    with world.scope():
        Membership.objects.all().delete()
    client = Client()
    client.force_login(world.owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.get("/campaigns/").status_code == 403


@pytest.mark.parametrize("count", [2, 20])
def test_the_list_of_campaigns_asks_as_often_however_long_it_is(
    world: World, count: int, django_assert_num_queries: object
) -> None:
    world.add_contact("+12567346043")
    for _ in range(count):
        world.campaign()
    client = Client()
    client.force_login(world.owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    client.get("/campaigns/")
    with django_assert_num_queries(15):  # type: ignore[operator]
        client.get("/campaigns/")


def test_owners_may_everything() -> None:
    assert PERMISSIONS[Role.OWNER] == set(Permission)
