from celery import shared_task

from campaigns.actions import advance, write_messages
from common.clock import now


@shared_task(name="campaigns.write_messages")
def write_messages_task(organization_id: int, outreach_id: int) -> None:
    write_messages(organization_id=organization_id, outreach_id=outreach_id, now=now())


@shared_task(name="campaigns.advance")
def advance_task() -> None:
    advance(now=now())
