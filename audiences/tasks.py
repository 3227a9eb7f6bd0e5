from typing import Any

from celery import shared_task

from audiences.actions import run_listing
from content.tasks import failing_in_words


@shared_task(name="audiences.run_listing")
def run_listing_task(organization_id: int, job_id: int, list_id: int, chosen: dict[str, Any]) -> None:
    words = "Something went wrong on the way. Do it again: nobody is there twice."
    with failing_in_words(organization_id, job_id, words):
        run_listing(organization_id=organization_id, job_id=job_id, list_id=list_id, chosen=chosen)
