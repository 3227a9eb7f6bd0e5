"""Templates: what is said is kept in versions, so that a sent text knows which it came from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F

from accounts.actions import audit
from common.actor import Actor
from common.errors import DomainError
from common.tenancy import current_organization_id
from content.models import Template, TemplateVersion
from content.queries import newest_version
from content.rules.languages import LANGUAGES
from content.rules.rendering import TemplateError, compile_template

LONGEST_BODY = 5_000
"""Characters of a text as it is typed, its tags included: more than any text that may be sent."""


class TemplateRefused(DomainError):
    """Not as it is. `facts["field"]` names what to change, where it is one thing."""

    code = "template_refused"


@dataclass(frozen=True, slots=True)
class TemplateContent:
    """A template as a person writes it. `shared`: everybody's, else the writer's own."""

    name: str
    bodies: Mapping[str, str]
    default_language: str
    label: str = ""
    shared: bool = True


def create_template(
    content: TemplateContent, *, custom_fields: frozenset[str], actor: Actor, now: datetime
) -> Template:
    """Keep a new template. Raises TemplateRefused."""
    _check(content, custom_fields)
    template = Template(organization_id=current_organization_id(), created_at=now)
    _write(template, content, actor, now)
    audit(action="template.created", subject=template, actor=actor, now=now, name=content.name)
    return template


def save_template(
    template_id: int,
    content: TemplateContent,
    *,
    custom_fields: frozenset[str],
    actor: Actor,
    now: datetime,
    based_on: int | None = None,
) -> Template:
    """Change a template; words that changed are a new version. `based_on` is the version that was read before.

    Raises TemplateRefused.
    """
    _check(content, custom_fields)
    template: Template = Template.objects.select_for_update(no_key=True).get(id=template_id)
    if template.deleted_at is not None:
        raise TemplateRefused("This template was deleted meanwhile. Your words are still here: save them as a new one.")
    newest = newest_version(template).number
    if based_on is not None and based_on != newest:
        raise TemplateRefused(
            "Somebody changed this template meanwhile. Your words are still here: copy them, then load it again."
        )
    _write(template, content, actor, now)
    audit(action="template.changed", subject=template, actor=actor, now=now, name=content.name)
    return template


def delete_template(template_id: int, *, actor: Actor, now: datetime) -> None:
    """Take a template out of use. Drafts and texts that came from it keep their words."""
    template: Template = Template.objects.select_for_update(no_key=True).get(id=template_id)
    if template.deleted_at is None:
        template.deleted_at = now
        template.save(update_fields=["deleted_at"])
        audit(action="template.deleted", subject=template, actor=actor, now=now, name=template.name)


def note_use(version_id: int) -> None:
    """Somebody used a version of a template."""
    Template.objects.filter(versions=version_id).update(uses=F("uses") + 1)


def _check(content: TemplateContent, custom_fields: frozenset[str]) -> None:
    if not content.name.strip():
        raise TemplateRefused("Give the template a name: you find it by it later.", field="name")
    if not content.bodies.get(content.default_language, "").strip():
        language = LANGUAGES.get(content.default_language, content.default_language)
        raise TemplateRefused(f"Write the text in {language}, or make a language the default that has a text.")
    for language, body in content.bodies.items():
        if language not in LANGUAGES:
            raise TemplateRefused(f"“{language[:12]}” is no language that we know. Choose one from the list.")
        if len(body) > LONGEST_BODY:
            raise TemplateRefused(
                f"The text in {LANGUAGES[language]} has {len(body):,} characters; at most {LONGEST_BODY:,} are kept."
            )
        try:
            compile_template(body, custom_fields=custom_fields)
        except TemplateError as error:
            raise TemplateRefused(f"{LANGUAGES[language]}: {error}") from error


def _write(template: Template, content: TemplateContent, actor: Actor, now: datetime) -> None:
    template.name, template.label = content.name.strip(), content.label.strip()
    template.default_language = content.default_language
    if content.shared:
        template.owner_id = None
    elif template.owner_id is None:
        template.owner_id = actor.user_id
    template.updated_at = now
    try:
        with transaction.atomic():
            template.save()
    except IntegrityError as error:
        raise TemplateRefused(f"There is a template named “{template.name}” already.", field="name") from error
    bodies = {language: body.replace("\r\n", "\n") for language, body in content.bodies.items() if body.strip()}
    newest = template.versions.order_by("-number").first()
    if newest is None or newest.bodies != bodies:
        TemplateVersion.objects.create(
            organization_id=template.organization_id,
            template=template,
            number=newest.number + 1 if newest else 1,
            bodies=bodies,
            created_by=actor.label,
            created_at=now,
        )
