"""The progress of long work."""

from datetime import datetime

from common.tenancy import current_organization_id
from content.models import Job


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
