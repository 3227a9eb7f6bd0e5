"""Reads of files and templates."""

import hashlib
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import Q, QuerySet

from content.models import Job, StoredFile, Template, TemplateVersion

UNDER_WAY = (Job.State.WAITING, Job.State.RUNNING)
JOB_IS_DEAD_AFTER = timedelta(seconds=60)
JOB_IS_LOST_AFTER = timedelta(minutes=10)
"""One that waits in the queue behind others is not dead."""


def is_live(job: Job | None, *, now: datetime) -> bool:
    """Whether work goes on: its worker has said something within a minute, or it waits for one."""
    if job is None or job.state not in UNDER_WAY:
        return False
    patience = JOB_IS_DEAD_AFTER if job.state == Job.State.RUNNING else JOB_IS_LOST_AFTER
    return bool(job.updated_at > now - patience)


def path_of(file: StoredFile) -> Path:
    """Where the bytes lie on this machine."""
    return Path(settings.MEDIA_ROOT) / str(file.organization_id) / file.sha256


def digest_on_disk(file: StoredFile) -> str | None:
    """SHA-256 (hex) of the bytes as they lie there now; None: they are gone."""
    path = path_of(file)
    if not path.exists():
        return None
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def templates(
    user_id: int, *, search: str = "", label: str = "", own: bool = False, deleted: bool = False
) -> QuerySet[Template]:
    """What a person can use: shared ones and their own, by name; narrowed by words, a label, to their own.

    `deleted`: also what is out of use by now.
    """
    found = Template.objects.order_by("name", "id")
    found = found.filter(owner_id=user_id) if own else found.filter(Q(owner_id=None) | Q(owner_id=user_id))
    if not deleted:
        found = found.filter(deleted_at=None)
    if label:
        found = found.filter(label=label)
    for word in search.split()[:5]:
        said = [
            version.template_id for version in _newest() if word.lower() in " ".join(version.bodies.values()).lower()
        ]
        found = found.filter(Q(name__icontains=word) | Q(label__icontains=word) | Q(id__in=said))
    return found


def _newest() -> QuerySet[TemplateVersion]:
    """The newest version of every template."""
    return TemplateVersion.objects.order_by("template_id", "-number").distinct("template_id")


def template_labels(user_id: int) -> list[str]:
    """The labels of what a person can use."""
    return list(templates(user_id).exclude(label="").order_by("label").values_list("label", flat=True).distinct())


def newest_version(template: Template) -> TemplateVersion:
    """What a template says now."""
    found: TemplateVersion = template.versions.select_related("template").order_by("-number")[0]
    return found


def newest_versions(template_ids: list[int]) -> dict[int, TemplateVersion]:
    """The same of several, by the template's id, in one query."""
    found = TemplateVersion.objects.filter(template_id__in=template_ids).select_related("template")
    return {row.template_id: row for row in found.order_by("template_id", "-number").distinct("template_id")}


def known_version(version_id: int | None) -> int | None:
    """The id, where it is a version of a template here; None: it is none."""
    return TemplateVersion.objects.filter(id=version_id or 0).values_list("id", flat=True).first()
