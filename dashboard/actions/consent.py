"""What people of the organization note of somebody's consent, and the end of the time of keeping."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef

from common.actor import Actor
from common.sql import fetch_all
from common.tenancy import across_organizations, organization_scope
from consent.actions import Noted, Trace, note_consent, note_withdrawal
from consent.models import OptInRequest, Program
from consent.rules.law import period
from consent.rules.media import Medium
from content.actions import forget_files, store_evidence
from dashboard.queries.retention import evidence_of_phones, phones_to_erase, unnamed_evidence
from messaging.actions.opt_ins import request_opt_in
from messaging.models import Message
from senders.models import SenderNumber

RETENTION_YEARS = period("retention_years").value


@dataclass(frozen=True, slots=True)
class ConsentNote:
    """What somebody notes on the consent panel; see dashboard.forms.ConsentForm. `evidence` is an uploaded file."""

    what: str
    program_id: int
    medium: str
    at: datetime
    reason: str
    evidence: Any = None
    number_id: int | None = None


def adjust_consent(phone: str, *, note: ConsentNote, actor: Actor, now: datetime) -> None:
    """Note that somebody agreed or takes it back, or ask them to confirm (B5).

    Raises OptInRefused, EvidenceRefused or NotEnoughCredits.
    """
    file = store_evidence(note.evidence, actor=actor, now=now) if note.evidence else None
    evidence_id, reason = file.id if file else None, note.reason
    if note.what == "withdrew":
        of, by = note.program_id, actor
        note_withdrawal(phone, program_id=of, reason=reason, at=note.at, evidence_id=evidence_id, actor=by, now=now)
        return
    medium = Medium(note.medium)
    if note.what == "agreed":
        noted = Noted(reason, medium, note.at, evidence_id)
        note_consent(phone, program_id=note.program_id, noted=noted, actor=actor, now=now)
        return
    request_opt_in(
        Program.objects.get(id=note.program_id),
        phone,
        number=SenderNumber.objects.get(id=note.number_id or 0),
        medium=medium,
        basis=reason,
        asked_for_at=note.at,
        actor=actor,
        now=now,
        trace=Trace(evidence_id=evidence_id),
    )


def erase_old_consent(organization_id: int, *, actor: Actor, now: datetime, dry_run: bool = False) -> int:
    """Empty the records of phones to which nothing was sent for six years; return of how many phones.

    Opt-outs are kept for ever, the seals keep the digests. Opens its own scopes, a page of phones in each.
    """
    before, after, phones = years_before(now), "", 0
    if not dry_run:
        with organization_scope(organization_id):
            _forget_requests(before)
    while True:
        with organization_scope(organization_id):
            page = phones_to_erase(before=before, after=after)
        if not page:
            return phones
        phones, after = phones + len(page), page[-1]
        if not dry_run:
            with organization_scope(organization_id):
                files = evidence_of_phones(page)
            reason = f"nothing was sent to them for {RETENTION_YEARS} years"
            with across_organizations(because="emptying the ledger is nobody's of the tenant"):
                values = [organization_id, page, before, reason, actor.label, now]
                fetch_all("SELECT erase_consent(%s, %s, %s, %s, %s, %s)", values)
            with organization_scope(organization_id):
                forget_files(unnamed_evidence(files))


def _forget_requests(before: datetime) -> None:
    """Double opt-ins that were asked for before, of phones to which nothing was sent since, with what proves them."""
    texted = Message.objects.filter(phone=OuterRef("phone"), created_at__gte=before)
    old = OptInRequest.objects.filter(created_at__lt=before).exclude(Exists(texted))
    files = {one for one in old.values_list("evidence_id", flat=True) if one is not None}
    old.delete()
    forget_files(unnamed_evidence(sorted(files)))


def years_before(now: datetime) -> datetime:
    """The moment before which nothing may have happened: the time of keeping ago."""
    try:
        return now.replace(year=now.year - RETENTION_YEARS)
    except ValueError:  # the 29th of February
        return now.replace(year=now.year - RETENTION_YEARS, day=28)
