from celery import shared_task

from common.clock import now
from content.actions import revive_jobs


@shared_task(name="content.revive_jobs")
def revive_jobs_task() -> None:
    revive_jobs(now=now())
