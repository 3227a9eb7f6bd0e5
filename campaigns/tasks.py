import structlog
from celery import shared_task

from campaigns.actions import advance, fail_quote, run_quote, write_messages
from common.clock import now
from common.locks import only_one

log = structlog.get_logger(__name__)

ADVANCE_SECONDS = 10.0


@shared_task(name="campaigns.write_messages")
def write_messages_task(organization_id: int, outreach_id: int, part: int | None = None) -> None:
    write_messages(organization_id=organization_id, outreach_id=outreach_id, part=part, now=now())


@shared_task(name="campaigns.quote")
def quote_task(organization_id: int, outreach_id: int, job_id: int) -> None:
    try:
        run_quote(organization_id=organization_id, outreach_id=outreach_id, job_id=job_id)
    except Exception:
        log.exception("quote_failed", organization=organization_id, outreach=outreach_id)
        fail_quote(organization_id=organization_id, job_id=job_id)
        raise


@shared_task(name="campaigns.advance")
def advance_task() -> None:
    """One at a time, mostly: a start that quotes a large audience may take longer than the lock; two do no harm."""
    with only_one("advance", seconds=ADVANCE_SECONDS) as hold_on:
        if hold_on is not None:
            advance(now=now())
