"""The long work that goes across apps."""

from celery import shared_task

from common.actor import Actor
from dashboard.actions import undo_import


@shared_task(name="dashboard.undo_import")
def undo_import_task(organization_id: int, import_id: int, label: str) -> None:
    undo_import(organization_id=organization_id, import_id=import_id, actor=Actor(label))
