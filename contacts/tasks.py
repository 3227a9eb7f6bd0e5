from celery import shared_task

from common.actor import SYSTEM
from contacts.actions import run_import


@shared_task(name="contacts.run_import")
def run_import_task(organization_id: int, import_id: int) -> None:
    run_import(organization_id=organization_id, import_id=import_id, actor=SYSTEM)
