"""Files in and out, and the progress of jobs."""

import hashlib
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile

from django.conf import settings

from common.actor import Actor
from common.tenancy import current_organization_id
from content.models import FileKind, Job, StoredFile


def store_file(
    *, kind: FileKind, name: str, content_type: str, chunks: Iterable[bytes], actor: Actor, now: datetime
) -> StoredFile:
    """Keep bytes for the organization in scope; the same bytes twice share one place on disk."""
    folder = Path(settings.MEDIA_ROOT) / str(current_organization_id())
    folder.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with NamedTemporaryFile(dir=folder, delete=False) as target:
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
            target.write(chunk)
    os.replace(target.name, folder / digest.hexdigest())
    stored: StoredFile = StoredFile.objects.create(
        organization_id=current_organization_id(),
        kind=kind,
        name=Path(name).name[:200],
        content_type=content_type,
        sha256=digest.hexdigest(),
        size=size,
        uploaded_by=actor.label,
        created_at=now,
    )
    return stored


def start_job(*, kind: str, total: int | None, now: datetime) -> Job:
    job: Job = Job.objects.create(
        organization_id=current_organization_id(), kind=kind, total=total, created_at=now, updated_at=now
    )
    return job


def report_progress(job_id: int, *, done: int, now: datetime, total: int | None = None) -> None:
    changes: dict[str, object] = {"done": done, "state": Job.State.RUNNING, "updated_at": now}
    if total is not None:
        changes["total"] = total
    Job.objects.filter(id=job_id).update(**changes)


def finish_job(job_id: int, *, now: datetime) -> None:
    Job.objects.filter(id=job_id).update(state=Job.State.DONE, updated_at=now)


def fail_job(job_id: int, *, message: str, now: datetime) -> None:
    """`message` says what went wrong and what to do next."""
    Job.objects.filter(id=job_id).update(state=Job.State.FAILED, message=message, updated_at=now)
