"""The isolation matrix: every address, for the anonymous, without the permission, and of another tenant."""

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import Membership
from accounts.rules.permissions import PERMISSIONS, Permission, Role, allows
from billing.actions import add_credits
from billing.models import LotKind
from campaigns.models import Campaign
from consent.actions import create_program
from consent.rules.media import Level
from contacts.models import Import
from inbox.models import Conversation
from senders.actions import add_number
from senders.models import SenderKind
from tests.conftest import NOW
from tests.contacts.test_import import imported
from tests.world import ACTOR, World, build_world

PUBLIC = {
    "health": "load balancers ask without signing in",
    "theme": "the colours of a browser, whoever sits before it",
}
POSTED = {"campaigns/<int:campaign_id>/<slug:verb>/", "inbox/<int:conversation_id>/reply/"}


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
IDS = [path or "/" for path, _ in ROUTES]


def filled(path: str, world: World) -> str:
    """The address of the tenant's own objects: a campaign and an import with an error file."""
    with world.scope():
        campaign_id = Campaign.objects.values_list("id", flat=True).order_by("id").first() or 0
        import_id = Import.objects.values_list("id", flat=True).first() or 0
        conversation_id = Conversation.objects.values_list("id", flat=True).first() or 0
    values = {
        "<int:campaign_id>": campaign_id,
        "<int:import_id>": import_id,
        "<int:conversation_id>": conversation_id,
        "<slug:verb>": "pause",
    }
    for name, value in values.items():
        path = path.replace(name, str(value))
    assert "<" not in path, f"say in this test what {path} stands for"
    return f"/{path}"


def furnished(world: World) -> World:
    world.add_contact("+12567346043", first_name="Ada")
    world.launch(world.campaign(body="Secret words"))
    imported(world, "Name,Phone\nBo,12\n", NOW)
    with world.scope():
        Conversation.objects.create(
            organization=world.organization,
            sender_number_id=world.number.id,
            phone="+12567346043",
            last_text="Secret answer",
            last_received_at=NOW,
        )
    return world


def signed_in(world: World) -> Client:
    client = Client()
    client.force_login(world.owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def ask(client: Client, path: str, address: str) -> HttpResponse:
    response: HttpResponse = client.post(address) if path in POSTED else client.get(address)  # type: ignore[assignment]
    return response


@pytest.mark.parametrize(("path", "entry"), ROUTES, ids=IDS)
def test_every_page_asks_for_a_permission(path: str, entry: URLPattern) -> None:
    assert entry.callback.permission in set(Permission)  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", [path for path, _ in ROUTES], ids=IDS)
def test_the_anonymous_are_sent_to_sign_in(world: World, path: str) -> None:
    response = ask(Client(), path, filled(path, furnished(world)))
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(("path", "entry"), ROUTES, ids=IDS)
def test_a_role_sees_what_its_row_of_the_table_allows(world: World, role: Role, path: str, entry: URLPattern) -> None:
    address = filled(path, furnished(world))
    with world.scope():
        Membership.objects.update(role=role)
    allowed = allows(role, entry.callback.permission)  # type: ignore[attr-defined]
    status = ask(signed_in(world), path, address).status_code
    assert status in ((200, 302) if allowed else (403,))


@pytest.mark.parametrize("path", [path for path, _ in ROUTES], ids=IDS)
def test_nothing_of_another_tenant_is_shown(world: World, path: str) -> None:
    other = furnished(build_world(NOW))
    response = ask(signed_in(world), path, filled(path, other))
    if "<" in path:
        assert response.status_code == 404
        return
    page = response.content.decode()
    for secret in (other.organization.name, "News", other.number.sender, "people.csv", "+12567346043"):
        assert secret not in page


def test_a_person_without_an_organization_sees_nothing(world: World) -> None:
    with world.scope():
        Membership.objects.all().delete()
    assert signed_in(world).get("/campaigns/").status_code == 403


LISTS = {
    "/": 13,
    "/campaigns/": 16,
    "/contacts/": 15,
    "/programs/": 12,
    "/numbers/": 12,
    "/billing/": 13,
    "/inbox/": 12,
}


@pytest.mark.parametrize("count", [2, 20])
@pytest.mark.parametrize("path", LISTS)
def test_a_list_asks_as_often_however_long_it_is(
    world: World, path: str, count: int, django_assert_num_queries: Any
) -> None:
    for number in range(count):
        world.add_contact(f"+1256734{6000 + number}")
        world.campaign()
        with world.scope():
            add_credits(kind=LotKind.BONUS, credits=1, reference=f"b{number}", actor=ACTOR, now=NOW)
            Conversation.objects.create(
                organization=world.organization,
                sender_number_id=world.number.id,
                phone=f"+1256734{6000 + number}",
                last_text="Hi",
                last_received_at=NOW,
            )
            create_program(
                name=f"P{number}", level=Level.INFORMATIONAL, brand="B", opt_in_text="x", actor=ACTOR, now=NOW
            )
            add_number(
                carrier_account_id=world.number.carrier_account_id,
                sender=f"+1877555{number:04}",
                kind=SenderKind.LOCAL,
                segments_per_second=None,
                department=world.number.department,
                actor=ACTOR,
                now=NOW,
            )
    client = signed_in(world)
    client.get(path)
    with django_assert_num_queries(LISTS[path]):
        client.get(path)


def test_owners_may_everything() -> None:
    assert PERMISSIONS[Role.OWNER] == set(Permission)
