import contextlib
from collections.abc import Iterator

import structlog
from celery import shared_task
from django.db import IntegrityError, InterfaceError, OperationalError

from common.clock import now
from common.tenancy import organization_scope
from content.actions import fail_job, revive_jobs

log = structlog.get_logger(__name__)

PASSING = (OperationalError, InterfaceError, IntegrityError)
"""The database is away, or another transaction was faster: the work is revived, and may go well then."""


@shared_task(name="content.revive_jobs")
def revive_jobs_task() -> None:
    revive_jobs(now=now())


@contextlib.contextmanager
def failing_in_words(organization_id: int, job_id: int, words: str) -> Iterator[None]:
    """Do a job's work; an error that will not pass by itself ends the job with words for the person who waits."""
    try:
        yield
    except PASSING:
        raise
    except Exception:
        log.exception("job_failed", organization=organization_id, job=job_id)
        with organization_scope(organization_id):
            fail_job(job_id, message=words, now=now())
        raise
