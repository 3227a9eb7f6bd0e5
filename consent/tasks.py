from celery import shared_task

from accounts.queries import organization_ids
from common.clock import now
from common.tenancy import organization_scope
from consent.actions import seal_organization


@shared_task(name="consent.seal")
def seal() -> None:
    """Append what has come since the last time to every organization's chain."""
    for organization_id in organization_ids():
        with organization_scope(organization_id):
            seal_organization(now=now())
