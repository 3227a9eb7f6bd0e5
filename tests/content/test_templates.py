"""Templates: personal and shared, in several languages, versions kept."""

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from accounts.models import Membership, User
from accounts.rules.permissions import Role
from content.actions import TemplateContent, TemplateRefused, create_template, delete_template, save_template
from content.models import Template, TemplateVersion
from content.queries import newest_version, template_labels, templates
from tests.world import ACTOR, World

REMINDER = TemplateContent("Reminder", {"en": "See you, {{ first_name|there }}", "es": "Hasta pronto"}, "en", "Visits")
NO_FIELDS: frozenset[str] = frozenset()


def made(world: World, content: TemplateContent = REMINDER) -> Template:
    with world.scope():
        return create_template(content, custom_fields=NO_FIELDS, actor=ACTOR, now=world.now)


def changed(world: World, template: Template, content: TemplateContent) -> None:
    with world.scope():
        save_template(template.id, content, custom_fields=NO_FIELDS, actor=ACTOR, now=world.now)


def test_a_language_without_a_text_gets_the_default_one(world: World) -> None:
    template = made(world)
    with world.scope():
        version = newest_version(template)
    assert [version.body(code) for code in ("en", "es", "fr")] == [
        "See you, {{ first_name|there }}",
        "Hasta pronto",
        "See you, {{ first_name|there }}",
    ]


def test_versions_are_kept_and_only_made_where_words_change(world: World) -> None:
    template = made(world)
    changed(world, template, REMINDER)
    changed(world, template, TemplateContent("Another name", REMINDER.bodies, "en"))
    changed(world, template, TemplateContent("Another name", {"en": "New words"}, "en"))
    with world.scope():
        assert list(template.versions.order_by("number").values_list("number", flat=True)) == [1, 2]
        first = template.versions.get(number=1)
        assert first.bodies == REMINDER.bodies
        with pytest.raises(DatabaseError, match=r"append-only|permission denied"), transaction.atomic():
            TemplateVersion.objects.filter(id=first.id).update(bodies={})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (TemplateContent("", {"en": "x"}, "en"), "name"),
        (TemplateContent("A", {"en": " "}, "en"), "English"),
        (TemplateContent("A", {"es": "x"}, "en"), "English"),
        (TemplateContent("A", {"en": "x", "xx": "y"}, "en"), "no language"),
        (TemplateContent("A", {"en": "Hi {{ frist_name }}"}, "en"), "Did you mean “first_name”"),
        (TemplateContent("A", {"en": "Hi {{ first_name"}, "en"), "no partner"),
        (TemplateContent("A", {"en": "x" * 10_000_000}, "en"), "10,000,000 characters"),
        (TemplateContent("Reminder", {"en": "x"}, "en"), "already"),
    ],
)
def test_what_cannot_be_kept_says_why(world: World, content: TemplateContent, words: str) -> None:
    made(world)
    with pytest.raises(TemplateRefused, match=words):
        made(world, content)


def test_two_who_write_at_once_lose_nothing(world: World) -> None:
    template = made(world)
    with world.scope():
        two = {"en": "One", "fr": "Un"}
        save_template(
            template.id,
            TemplateContent("A", two, "en"),
            based_on=1,
            custom_fields=NO_FIELDS,
            actor=ACTOR,
            now=world.now,
        )
        with pytest.raises(TemplateRefused, match="changed this template meanwhile"):
            save_template(template.id, REMINDER, based_on=1, custom_fields=NO_FIELDS, actor=ACTOR, now=world.now)
        assert newest_version(template).bodies == two


def test_own_ones_are_seen_by_nobody_else(world: World, client: Client) -> None:
    agent = User.objects.create_user("agent@example.org", "a long enough password")
    with world.scope():
        Membership.objects.create(organization=world.organization, user=agent, role=Role.AGENT, created_at=world.now)
        content = TemplateContent("Mine", {"en": "x"}, "en", shared=False)
        from common.actor import Actor

        mine = create_template(content, custom_fields=NO_FIELDS, actor=Actor("Agent", agent.id), now=world.now)
        shared = create_template(REMINDER, custom_fields=NO_FIELDS, actor=ACTOR, now=world.now)
        assert [one.name for one in templates(world.owner.id)] == ["Reminder"]
        assert [one.name for one in templates(agent.id)] == ["Mine", "Reminder"]
        assert [one.name for one in templates(agent.id, own=True)] == ["Mine"]
        assert [one.name for one in templates(agent.id, search="pronto")] == ["Reminder"]
        assert [one.name for one in templates(agent.id, label="Visits")] == ["Reminder"]
        assert template_labels(agent.id) == ["Visits"]
    client.force_login(world.owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.get(f"/templates/{mine.id}/").status_code == 404
    client.force_login(agent, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert "may share" in client.post(f"/templates/{shared.id}/", form_of("Taken over", "no")).content.decode()
    client.post(f"/templates/{shared.id}/delete/")
    with world.scope():
        shared.refresh_from_db()
        assert (shared.name, shared.deleted_at) == ("Reminder", None)


def form_of(name: str, shared: str = "yes", **more: str) -> dict[str, str]:
    fields = {"name": name, "shared": shared, "default_language": "en", "language_0": "en", "body_0": "Words"}
    return fields | more


def test_written_and_changed_by_the_page(world: World, client: Client) -> None:
    client.force_login(world.owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    client.post("/templates/new/", form_of("By page"))
    with world.scope():
        template = Template.objects.get()
    page = client.get(f"/templates/{template.id}/").content.decode()
    assert "Words" in page
    answer = client.post(f"/templates/{template.id}/", form_of("By page", language_1="es", body_1="Palabras"))
    assert answer.status_code == 302
    with world.scope():
        assert newest_version(template).bodies == {"en": "Words", "es": "Palabras"}
    twice = client.post(f"/templates/{template.id}/", form_of("By page", language_1="en", body_1="Again"))
    assert "already" in twice.content.decode()
    assert "Again" in twice.content.decode()


def test_deleted_while_it_is_written_in_loses_nothing(world: World, client: Client) -> None:
    template = made(world)
    with world.scope():
        delete_template(template.id, actor=ACTOR, now=world.now)
    client.force_login(world.owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = client.post(
        f"/templates/{template.id}/", form_of("Reminder", body_0="A long evening’s words")
    ).content.decode()
    assert "deleted meanwhile" in page
    assert "A long evening’s words" in page
    assert client.get(f"/templates/{template.id}/").status_code == 404
    made(world)  # its name is free again
