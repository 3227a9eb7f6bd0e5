"""What several apps do together: opening a tenant, a person's opt-out, days off, undoing an import, target groups."""

from datetime import date, datetime

from django.db.models import F

from accounts.actions import add_day_off, audit, create_organization, remove_day_off
from accounts.models import Organization, User
from audiences.actions import delete_group
from audiences.rules.conditions import GroupRefused
from billing.actions import open_account
from billing.queries import plan_named
from campaigns.actions import plan_anew
from campaigns.models import Campaign, Outreach
from campaigns.rules.states import CampaignState, OutreachState
from common import clock
from common.actor import Actor
from common.errors import DomainError
from common.tenancy import across_organizations, organization_scope
from consent.actions import opt_out_by_staff, undo_statement, withdraw_records
from contacts.actions import delete_contacts, forget_apart, merge_contacts
from contacts.models import Contact, Import
from contacts.queries import import_by_id, imported_after, may_undo, phones_of
from content.actions import begin_work, finish_job, report_progress, start_job
from content.queries import UNDER_WAY
from messaging.actions.people import hand_over_texts
from messaging.queries import texted_among

FIRST_PLAN = "personal"
UNDO_BATCH = 1_000


def opt_out_contact(contact: Contact, *, actor: Actor, now: datetime) -> None:
    """Somebody of the organization was told by the person: no more texts, to any of the phones."""
    for phone in sorted(row.phone for row in phones_of(contact)):  # in the order of everybody who stops several
        opt_out_by_staff(phone, actor=actor, now=now)
    audit(action="contact.opted_out", subject=contact, actor=actor, now=now)


def delete_target_group(group_id: int, *, actor: Actor, now: datetime) -> None:
    """Forget a target group. Raises GroupRefused where another one, or a campaign still to come, asks for it."""
    waiting = Campaign.objects.filter(outreaches__group_ids__contains=[group_id], outreaches__launched_at=None)
    names = list(waiting.exclude(state=CampaignState.CANCELED).order_by("-id").distinct()[:3])
    if names:
        named = ", ".join(f"“{campaign}”" for campaign in names)
        raise GroupRefused(f"Campaigns that are still to come are for this group: {named}. Change them first.")
    delete_group(group_id, actor=actor, now=now)


def merge_people(kept_id: int, other_id: int, *, actor: Actor, now: datetime) -> Contact:
    """Make one contact of two, whose texts are the kept one's from now on. Raises ContactRefused."""
    kept = merge_contacts(kept_id, other_id, actor=actor, now=now)
    hand_over_texts([row.phone for row in phones_of(kept)], former_id=other_id, contact_id=kept.id)
    return kept


_BEING_TEXTED = (OutreachState.SCHEDULED, OutreachState.OPEN, OutreachState.PAUSED)


class UndoRefused(DomainError):
    code = "undo_refused"


def request_undo(import_id: int, *, actor: Actor, now: datetime) -> Import:
    """Have an import undone: a job. Raises UndoRefused; asked twice, it is the job under way."""
    done: Import = Import.objects.select_for_update(no_key=True, of=("self",)).select_related("job").get(id=import_id)
    if done.undo_job_id is not None:
        return done
    if not may_undo(done, now=now):
        raise UndoRefused("An import can be undone within a day. Change or delete the contacts themselves.")
    texting = Outreach.objects.filter(import_id=import_id, state__in=_BEING_TEXTED).select_related("campaign").first()
    if texting is not None:
        raise UndoRefused(f"“{texting.campaign}” is texting the people of this file. Cancel the rest of it first.")
    done.undo_job = start_job(kind="import.undo", total=done.created + done.updated + done.unchanged, now=now)
    done.save(update_fields=["undo_job"])
    audit(action="import.undone", subject=done, actor=actor, now=now)
    begin_work(
        done.undo_job, "dashboard.undo_import", arguments=[done.organization_id, done.id, actor.label, done.undo_job.id]
    )
    return done


def undo_import(*, organization_id: int, import_id: int, actor: Actor) -> None:
    """Withdraw what an import stated, and take out those whom it brought, nobody has texted and nothing else knows.

    What it changed in people who were contacts before stays changed. Opens a scope for each batch; running it again
    goes on.
    """
    if _withdraw(organization_id, import_id, actor):
        _remove(organization_id, import_id)


def _under_way(import_id: int) -> Import | None:
    """The import whose undoing is under way; None: it is through, or has failed."""
    wanted = import_by_id(import_id)
    return wanted if wanted.undo_job is not None and wanted.undo_job.state in UNDER_WAY else None


def _withdraw(organization_id: int, import_id: int, actor: Actor) -> bool:
    after, done, some = 0, 0, 1
    while some:
        with organization_scope(organization_id):
            wanted = _under_way(import_id)
            if wanted is None or wanted.undo_job is None:
                return False
            assert wanted.statement is not None  # other kinds of files are not undone
            now = clock.now()
            undo_statement(wanted.statement, actor=actor, now=now)
            some, after = withdraw_records(wanted.statement, after_id=after, limit=UNDO_BATCH, actor=actor, now=now)
            done += some
            report_progress(wanted.undo_job.id, done=done // 2, now=now)
    return True


def _remove(organization_id: int, import_id: int) -> None:
    after, done = "", 0
    while True:
        with organization_scope(organization_id):
            wanted = _under_way(import_id)
            if wanted is None or wanted.undo_job is None:
                return
            rows = imported_after(import_id, after, UNDO_BATCH)
            if not rows:
                apart = forget_apart(import_id)
                Import.objects.filter(id=import_id).update(removed=F("removed") + apart)
                finish_job(wanted.undo_job.id, now=clock.now())
                return
            after, done = rows[-1].phone, done + len(rows)
            texted = texted_among([phone for row in rows for phone in row.phones])
            removed = delete_contacts([row.contact_id for row in rows if row.brought and texted.isdisjoint(row.phones)])
            Import.objects.filter(id=import_id).update(removed=F("removed") + removed)
            half = (wanted.undo_job.total or 0) // 2
            report_progress(wanted.undo_job.id, done=half + done // 2, now=clock.now())


def close_day(day: date, *, name: str, actor: Actor, now: datetime) -> None:
    """No promotional texts on that day; campaigns under way are planned anew. Raises SettingRefused."""
    add_day_off(day, name=name, actor=actor, now=now)
    plan_anew(now=now)


def open_day(day_id: int, *, actor: Actor, now: datetime) -> None:
    """Promotional texts on that day again; campaigns under way are planned anew."""
    remove_day_off(day_id, actor=actor, now=now)
    plan_anew(now=now)


def open_organization(
    *, name: str, owner: User, now: datetime, time_zone: str = "America/New_York", plan: str = FIRST_PLAN
) -> Organization:
    """Create a tenant with its owner and its credit account, all or nothing."""
    with across_organizations(because="a tenant that does not exist yet has no scope"):
        organization = create_organization(name=name, owner=owner, time_zone=time_zone, now=now)
        with organization_scope(organization.id):
            open_account(plan=plan_named(plan), actor=Actor(label=str(owner), user_id=owner.id), now=now)
    return organization
