"""The progress of long work."""

from collections.abc import Sequence
from datetime import datetime

from celery import current_app
from django.db import transaction

from common.tenancy import across_organizations, current_organization_id
from content.models import Job
from content.queries import JOB_IS_DEAD_AFTER, UNDER_WAY, is_live


def start_job(*, kind: str, total: int | None, now: datetime) -> Job:
    job: Job = Job.objects.create(
        organization_id=current_organization_id(), kind=kind, total=total, created_at=now, updated_at=now
    )
    return job


def begin_work(job: Job, task: str, *, arguments: Sequence[object]) -> None:
    """Have the task of this name do the work, once this is committed; `revive_jobs` starts it again where it dies."""
    job.task, job.arguments = task, list(arguments)
    job.save(update_fields=["task", "arguments"])
    transaction.on_commit(lambda: current_app.send_task(task, job.arguments))


def revive_jobs(*, now: datetime) -> None:
    """Start work again whose worker died: it has reported nothing for a while. Tasks go on where they ended."""
    with across_organizations(because="a dead worker leaves jobs of any organization behind"):
        stalled = Job.objects.filter(state__in=UNDER_WAY, updated_at__lt=now - JOB_IS_DEAD_AFTER).exclude(task="")
        found = [(job.task, job.arguments) for job in stalled if not is_live(job, now=now)]
    for task, arguments in found:
        current_app.send_task(task, arguments, expires=JOB_IS_DEAD_AFTER.total_seconds())


def report_progress(job_id: int, *, done: int, now: datetime, total: int | None = None) -> None:
    changes: dict[str, object] = {"done": done, "state": Job.State.RUNNING, "updated_at": now}
    if total is not None:
        changes["total"] = total
    Job.objects.filter(id=job_id).update(**changes)


def finish_job(job_id: int, *, now: datetime, message: str = "") -> None:
    """`message` says what has been done, where nothing else does."""
    Job.objects.filter(id=job_id).update(state=Job.State.DONE, message=message, updated_at=now)


def fail_job(job_id: int, *, message: str, now: datetime) -> None:
    """`message` says what went wrong and what to do next."""
    Job.objects.filter(id=job_id).update(state=Job.State.FAILED, message=message, updated_at=now)


def cancel_job(job_id: int, *, message: str, now: datetime) -> None:
    """`message` says what has become of the work until then."""
    Job.objects.filter(id=job_id).update(state=Job.State.CANCELED, message=message, updated_at=now)
