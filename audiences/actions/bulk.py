"""Putting everybody whom a page shows on a list: a job, a few thousand people at a time."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from accounts.actions import audit
from audiences.queries import Selection, selected_after
from common.actor import Actor
from common.clock import now as clock_now
from common.errors import DomainError
from common.tenancy import current_organization_id, organization_scope
from contacts.actions import put_on_list
from contacts.models import Contact, ContactList
from content.actions import begin_work, fail_job, finish_job, report_progress, start_job
from content.models import Job
from content.queries import UNDER_WAY

BATCH = 5_000


def request_listing(selection: Selection, *, contact_list: ContactList, actor: Actor, now: datetime) -> Job:
    """Have everybody selected put on a list; the job says how many of them were not on it."""
    job = start_job(kind="contacts.list", total=Contact.objects.count(), now=now)
    chosen = asdict(selection)
    audit(action="list.all_added_to", subject=contact_list, actor=actor, now=now, **chosen)
    begin_work(job, "audiences.run_listing", arguments=[current_organization_id(), job.id, contact_list.id, chosen])
    return job


def run_listing(*, organization_id: int, job_id: int, list_id: int, chosen: dict[str, Any]) -> None:
    """Do it; opens a scope for each batch. Running it again puts nobody there twice."""
    selection = Selection(**chosen)
    after: int | None = 0
    added = looked_at = 0
    while after is not None:
        with organization_scope(organization_id):
            job, now = Job.objects.get(id=job_id), clock_now()
            if job.state not in UNDER_WAY:
                return
            target = ContactList.objects.get(id=list_id)
            try:
                ids, after = selected_after(selection, after, BATCH, now=now)
            except DomainError as error:
                fail_job(job_id, message=str(error), now=now)
                return
            added += put_on_list(target, ids)
            looked_at += BATCH
            report_progress(job_id, done=min(looked_at, job.total or 0), now=now)
            if after is None:
                finish_job(job_id, message=f"{added:,} more on “{target}”.", now=now)
