"""The isolation matrix: every address, for the anonymous, without the permission, and of another tenant."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.actions import notify
from accounts.models import AuditEvent, BlackoutDate, Membership, Notice, User
from accounts.rules.permissions import PERMISSIONS, Permission, Role, StaffRole, allows
from audiences.actions import request_listing, save_group
from audiences.models import TargetGroup
from audiences.queries import Selection
from audiences.rules.conditions import Condition, Group
from billing.actions import add_credits, order_credits
from billing.models import CreditOrder, LotKind
from campaigns.models import Campaign, Outreach
from common.clock import now
from consent.actions import create_program
from consent.models import Program, ProgramKeyword
from consent.rules.media import Level
from contacts.actions import add_to_list, create_field, list_named, request_export, run_export
from contacts.models import Contact, ContactList, ContactPhone, CustomField, Export, Import
from contacts.rules.fields import FieldKind
from content.actions import TemplateContent, create_template, store_file
from content.models import FileKind, Job, StoredFile, Template
from inbox.models import Conversation
from registration.actions import submit_registration
from registration.models import Registration
from senders.actions import add_number, request_number
from senders.models import NumberRequest, SenderKind, SenderNumber
from tests.conftest import NOW
from tests.contacts.test_import import imported
from tests.world import ACTOR, World, build_world

PUBLIC = {
    "health": "load balancers ask without signing in",
    "join/<str:form_key>.js": "other sites put the sign-up page into theirs",
    "join/<str:form_key>/": "whoever wants texts signs up",
    "l/<str:code>": "whoever has a short link is sent on",
    "metrics": "Prometheus sends a token of the installation's",
    "media/<str:token>": "the carrier fetches pictures by signed addresses",
    "theme": "the colours of a browser, whoever sits before it",
}
POSTED = {
    "campaigns/<int:campaign_id>/<slug:verb>/",
    "campaigns/<int:campaign_id>/outreaches/<int:outreach_id>/remove/",
    "campaigns/draft/",
    "contacts/add-to-list/",
    "contacts/columns/",
    "contacts/all/",
    "contacts/export/",
    "contacts/phones/<int:phone_id>/clear/",
    "programs/check/",
    "consent/evidence/",
    "contacts/import/<int:import_id>/cancel/",
    "contacts/lists/<int:list_id>/remove/",
    "settings/days-off/<int:day_id>/remove/",
    "inbox/<int:conversation_id>/decide/",
    "inbox/<int:conversation_id>/reply/",
    "notices/<int:notice_id>/dismiss",
    "switch/department",
    "switch/organization",
}
# Their answer to another tenant's object is silence: nothing is found, nothing is told.
SILENT = {"notices/<int:notice_id>/dismiss", "settings/days-off/<int:day_id>/remove/"}


def is_staff(entry: URLPattern) -> bool:
    return hasattr(entry.callback, "staff_roles")


def routes() -> list[tuple[str, URLPattern]]:
    """Every route of ours (django-allauth has its own tests)."""

    def walk(resolver: URLResolver, prefix: str) -> list[tuple[str, URLPattern]]:
        found = []
        for entry in resolver.url_patterns:
            path = prefix + str(entry.pattern)
            found += walk(entry, path) if isinstance(entry, URLResolver) else [(path, entry)]
        return found

    return [(path, entry) for path, entry in walk(get_resolver(), "") if not path.startswith("accounts/")]


ROUTES = [(path, entry) for path, entry in routes() if path not in PUBLIC and not is_staff(entry)]
STAFF_ROUTES = [(path, entry) for path, entry in routes() if is_staff(entry)]
IDS = [path or "/" for path, _ in ROUTES]
STAFF_IDS = [path for path, _ in STAFF_ROUTES]


def filled(path: str, world: World) -> str:
    """The address of the tenant's own objects: a campaign and an import with an error file."""
    with world.scope():
        models: dict[str, Any] = {
            "campaign_id": Campaign,
            "contact_id": Contact,
            "conversation_id": Conversation,
            "day_id": BlackoutDate,
            "picture_id": StoredFile.objects.filter(kind=FileKind.MEDIA),
            "export_id": Export,
            "evidence_id": StoredFile.objects.filter(kind=FileKind.EVIDENCE),
            "group_id": TargetGroup,
            "file_id": StoredFile.objects.filter(kind=FileKind.IMPORT, name="waiting.csv"),
            "import_id": Import,
            "list_id": ContactList,
            "notice_id": Notice,
            "number_id": SenderNumber,
            "order_id": CreditOrder,
            "own_id": CustomField,
            "job_id": Job.objects.filter(kind="contacts.list"),
            "outreach_id": Outreach,
            "phone_id": ContactPhone,
            "program_id": Program,
            "registration_id": Registration,
            "request_id": NumberRequest,
            "template_id": Template,
        }
        values = {
            f"<int:{name}>": getattr(model, "objects", model).order_by("id").values_list("id", flat=True).first() or 0
            for name, model in models.items()
        }
    values["<slug:verb>"] = "pause"
    values["<int:place>"] = "0"
    values["<slug:kind>"] = "opt_outs"
    values["<slug:what>"], values["<slug:ending>"] = "word", "svg"
    for name, value in values.items():
        path = path.replace(name, str(value))
    assert "<" not in path, f"say in this test what {path} stands for"
    return f"/{path}"


def furnished(world: World) -> World:
    world.add_contact("+12567346043", first_name="Ada")
    world.launch(world.campaign(body="Secret words {{ link|https://example.org/secret }}"))
    imported(world, "Name,Phone\nBo,12\n", NOW)
    with world.scope():
        made = request_export(format=Export.Format.CSV, search="", contact_list=None, actor=ACTOR, now=NOW)
    run_export(organization_id=world.id, export_id=made.id, actor=ACTOR)
    with world.scope():
        Conversation.objects.create(
            organization=world.organization,
            sender_number_id=world.number.id,
            phone="+12567346043",
            last_text="Secret answer",
            last_received_at=NOW,
        )
        everybody = list_named("Secret list", now=NOW)
        request_listing(Selection(), contact_list=everybody, actor=ACTOR, now=NOW)
        create_field("Secret field", FieldKind.TEXT, now=NOW)
        filled_in = Group(True, (Condition("city", "is", ("Secret town",)),))
        save_group(filled_in, name="Secret group", actor=ACTOR, now=NOW)
        BlackoutDate.objects.create(organization=world.organization, day=now().date(), name="Secret day")
        notify(tone=Notice.Tone.GOOD, text="Secret notice", permission=Permission.HOME_VIEW, now=NOW)
        content = TemplateContent("Secret template", {"en": "Secret words"}, "en")
        create_template(content, custom_fields=frozenset(), actor=ACTOR, now=NOW)
        order_credits(credits=100, form_id=uuid4(), actor=ACTOR, now=NOW)
        ProgramKeyword.objects.create(
            organization=world.organization,
            program=world.program,
            sender_number_id=world.number.id,
            word="secret",
            created_at=NOW,
        )
        department = world.number.department
        request_number(kind=SenderKind.LOCAL, wish="Secret wish", department=department, actor=ACTOR, now=NOW)
        for kind, name in (
            (FileKind.IMPORT, "waiting.csv"),
            (FileKind.MEDIA, "p.png"),
            (FileKind.EVIDENCE, "form.png"),
        ):
            stored = store_file(
                kind=kind, name=name, content_type="x", chunks=[b"Name,Phone\nBo,12\n"], actor=ACTOR, now=NOW
            )
        Registration.objects.update(evidence=stored)
    return world


def signed_in(world: World) -> Client:
    client = Client()
    client.force_login(world.owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def ask(client: Client, path: str, address: str, world: World) -> HttpResponse:
    data = {"organization": world.id}
    response = client.post(address, data) if path in POSTED else client.get(address)
    return response  # type: ignore[return-value]


@pytest.mark.parametrize(("path", "entry"), ROUTES, ids=IDS)
def test_every_page_asks_for_a_permission(path: str, entry: URLPattern) -> None:
    assert entry.callback.permission in set(Permission)  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", [path for path, _ in [*ROUTES, *STAFF_ROUTES]], ids=[*IDS, *STAFF_IDS])
def test_the_anonymous_are_sent_to_sign_in(world: World, path: str) -> None:
    response = ask(Client(), path, filled(path, furnished(world)), world)
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize(("path", "entry"), ROUTES, ids=IDS)
def test_a_role_sees_what_its_row_of_the_table_allows(world: World, path: str, entry: URLPattern) -> None:
    address, client, seen = filled(path, furnished(world)), signed_in(world), {}
    for role in Role:
        with world.scope():
            Membership.objects.update(role=role)
        seen[role] = ask(client, path, address, world).status_code in (200, 302)
    assert seen == {role: allows(role, entry.callback.permission) for role in Role}  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", [path for path, _ in ROUTES], ids=IDS)
def test_nothing_of_another_tenant_is_shown(world: World, path: str) -> None:
    other = furnished(build_world(NOW))
    response = ask(signed_in(world), path, filled(path, other), other)
    if ("<" in path or path == "switch/organization") and path not in SILENT:
        assert response.status_code == 404
        return
    page = response.content.decode()
    secrets = (other.organization.name, "News", other.number.sender, "people.csv", "+12567346043", "Secret")
    for secret in secrets:
        assert secret not in page


def test_what_is_answered_in_silence_stays_as_it_is(world: World) -> None:
    other = furnished(build_world(NOW))
    for path in SILENT:
        ask(signed_in(world), path, filled(path, other), other)
    with other.scope():
        assert Notice.objects.get(text="Secret notice").dismissed_at is None
        assert BlackoutDate.objects.get(name="Secret day")


@pytest.mark.parametrize(("path", "entry"), STAFF_ROUTES, ids=STAFF_IDS)
def test_staff_pages_are_for_staff_alone(world: World, path: str, entry: URLPattern) -> None:
    address = filled(path, furnished(world))
    for role in ("", *StaffRole):
        world.owner.staff_role = role
        world.owner.save()
        wanted = 200 if role in entry.callback.staff_roles else 403  # type: ignore[attr-defined]
        assert ask(signed_in(world), path, address, world).status_code == wanted


def test_reviewers_review_and_operators_do_the_rest() -> None:
    alone = {path for path, entry in STAFF_ROUTES if StaffRole.REVIEWER not in entry.callback.staff_roles}  # type: ignore[attr-defined]
    assert alone == {"staff/numbers/<int:request_id>/", "staff/orders/<int:order_id>/"}


def test_a_look_of_staff_is_in_the_tenants_audit_log(world: World) -> None:
    address = filled("staff/registrations/<int:registration_id>/", furnished(world))
    reviewer = User.objects.create_user("ravi@example.org", "a long enough password", staff_role=StaffRole.REVIEWER)
    client = Client()
    client.force_login(reviewer, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.get("/")["Location"] == "/staff/"
    assert client.get(address).status_code == 200
    with world.scope():
        seen = AuditEvent.objects.filter(action="registration.viewed_by_staff").values_list("actor_user_id", flat=True)
        assert list(seen) == [reviewer.id]


def test_a_person_without_an_organization_sees_nothing(world: World) -> None:
    with world.scope():
        Membership.objects.all().delete()
    assert signed_in(world).get("/campaigns/").status_code == 403


LISTS = [
    *("contacts/groups/", "contacts/groups/<int:group_id>/", "contacts/groups/<int:group_id>/edit/"),
    *("", "campaigns/", "contacts/", "contacts/lists/", "programs/", "numbers/", "billing/", "inbox/"),
    *("contacts/<int:contact_id>/", "contacts/lists/<int:list_id>/", "inbox/<int:conversation_id>/"),
    *("campaigns/<int:campaign_id>/", "campaigns/<int:campaign_id>/recipients/"),
    *(
        "campaigns/<int:campaign_id>/outreaches/",
        "campaigns/<int:campaign_id>/left-out/",
        "numbers/<int:number_id>/registration/",
        "staff/",
    ),
]


def queries_of(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return len(asked)


def add_more(world: World, start: int, count: int) -> None:
    """So many more of everything that a list could hold."""
    phones = [f"+1256734{6000 + number}" for number in range(start, start + count)]
    for phone in phones:
        world.add_contact(phone, consent=phone[-1] != "7")
        world.campaign()
    with world.scope():
        chosen = list(Contact.objects.values_list("id", flat=True))
        add_to_list(list_named("Everybody", now=NOW), chosen, actor=ACTOR, now=NOW)
        for number, phone in enumerate(phones, start):
            named = Group(True, (Condition("city", "is_not", (f"Town {number}",)),))
            save_group(named, name=f"G{number}", actor=ACTOR, now=NOW)
            add_credits(kind=LotKind.BONUS, credits=1, reference=f"b{number}", actor=ACTOR, now=NOW)
            Conversation.objects.create(
                organization=world.organization,
                sender_number_id=world.number.id,
                phone=phone,
                last_text="Hi",
                last_received_at=NOW,
            )
            create_program(
                name=f"P{number}", level=Level.INFORMATIONAL, brand="B", opt_in_text="x", actor=ACTOR, now=NOW
            )
            added = add_number(
                carrier_account_id=world.number.carrier_account_id,
                sender=f"+1877555{number:04}",
                kind=SenderKind.LOCAL,
                segments_per_second=None,
                department=world.number.department,
                actor=ACTOR,
                now=NOW,
            )
            submit_registration(
                number=added, use_case="news", sample_text="Hello", opt_in_type="WEB_FORM", actor=ACTOR, now=NOW
            )


@pytest.mark.parametrize("path", LISTS)
def test_a_list_asks_as_often_however_long_it_is(world: World, path: str) -> None:
    world.owner.staff_role = StaffRole.OPERATOR
    world.owner.save()
    add_more(world, 0, 2)
    world.launch(world.campaign())
    client = signed_in(world)
    with world.scope():
        campaign = Campaign.objects.get(state="SENDING")
        values = {
            "<int:campaign_id>": campaign.id,
            "<int:contact_id>": Contact.objects.order_by("id")[0].id,
            "<int:group_id>": TargetGroup.objects.order_by("id")[0].id,
            "<int:list_id>": ContactList.objects.get().id,
            "<int:number_id>": world.number.id,
            "<int:conversation_id>": Conversation.objects.order_by("id")[0].id,
        }
    address = "/" + path
    for name, value in values.items():
        address = address.replace(name, str(value))
    few = queries_of(client, address)
    add_more(world, 2, 18)
    assert queries_of(client, address) == few
    assert few <= 30


def test_owners_may_everything() -> None:
    assert PERMISSIONS[Role.OWNER] == set(Permission)
