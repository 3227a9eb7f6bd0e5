"""The long work that goes across apps."""

from celery import shared_task

from accounts.queries import organization_ids
from common.actor import SYSTEM, Actor
from common.clock import now
from content.tasks import failing_in_words
from dashboard.actions import erase_old_consent, undo_import


@shared_task(name="dashboard.undo_import")
def undo_import_task(organization_id: int, import_id: int, label: str, job_id: int) -> None:
    words = "Something went wrong while this import was undone. Ask support to finish it; nothing is lost."
    with failing_in_words(organization_id, job_id, words):
        undo_import(organization_id=organization_id, import_id=import_id, actor=Actor(label))


@shared_task(name="dashboard.erase_old_consent")
def erase_old_consent_task() -> None:
    """Empty the records of consent whose time of keeping is over."""
    for organization_id in organization_ids():
        erase_old_consent(organization_id, actor=SYSTEM, now=now())
