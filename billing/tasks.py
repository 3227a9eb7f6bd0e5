from celery import shared_task

from billing.actions import post_captures
from billing.queries import organizations_with_captures
from common.clock import now
from common.tenancy import organization_scope


@shared_task(name="billing.post_captures")
def post_captures_of_all() -> None:
    """Post the minute's captures, one organization after the other."""
    for organization_id in organizations_with_captures():
        with organization_scope(organization_id):
            post_captures(now=now())
