"""The long work that goes across apps."""

from celery import shared_task

from common.actor import Actor
from content.tasks import failing_in_words
from dashboard.actions import undo_import


@shared_task(name="dashboard.undo_import")
def undo_import_task(organization_id: int, import_id: int, label: str, job_id: int) -> None:
    words = "Something went wrong while this import was undone. Ask support to finish it; nothing is lost."
    with failing_in_words(organization_id, job_id, words):
        undo_import(organization_id=organization_id, import_id=import_id, actor=Actor(label))
