"""Signing up on the public page of a program."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from common.actor import Actor
from common.errors import DomainError
from common.tenancy import across_organizations, current_organization_id
from consent.actions import OptInRefused, Trace, grant, welcome
from consent.models import ConsentState, Program
from consent.queries import is_opted_out
from consent.rules.media import Medium
from contacts.actions import ContactContent, create_contact
from contacts.actions.people import ContactRefused
from contacts.queries import contacts_of
from content.actions import store_file
from content.models import FileKind, StoredFile
from messaging.actions.opt_ins import request_opt_in
from messaging.actions.queueing import queue_compliance_reply
from senders.models import NumberStatus, SenderNumber


@dataclass(frozen=True, slots=True)
class SignUp:
    """What somebody sent from the page: `page` is its HTML as it was shown, before anything was filled in."""

    phone: str
    name: str
    page: bytes
    source_url: str
    ip_address: str
    user_agent: str


def organization_of_form(form_key: str) -> int | None:
    """Whose public page this is; None: nobody's."""
    with across_organizations(because="who looks at a public page belongs to no organization"):
        shown = Program.objects.filter(form_key=form_key).exclude(form_sender_number_id=None)
        found: int | None = shown.values_list("organization_id", flat=True).first()
        return found


def sign_up(program_ids: Sequence[int], *, wish: SignUp, now: datetime) -> None:
    """Somebody ticked these programs on a public page: what a phone agrees to is written with the page as it was.

    Who said stop, and whoever joins a program with double opt-in, is to confirm it by a text of their own. What is
    refused is not told apart from the rest: the page must not tell strangers who is known here.
    """
    programs = list(Program.objects.filter(id__in=program_ids).exclude(form_sender_number_id=None).order_by("id"))
    if not programs:
        return
    actor = Actor(label=wish.name[:120] or "the person")
    evidence = _capture(wish.page, actor, now)
    trace = Trace(
        source_url=wish.source_url[:2000],
        ip_address=wish.ip_address or None,
        user_agent=wish.user_agent[:500],
        identity=wish.name[:200] or None,
        evidence_id=evidence.id,
    )
    if wish.phone not in contacts_of([wish.phone]):
        first, _, last = wish.name.strip().partition(" ")
        content = ContactContent({"first_name": first[:80], "last_name": last[:80]}, [("MOBILE", wish.phone)])
        try:
            with transaction.atomic():
                create_contact(content, actor=actor, now=now)
        except ContactRefused:
            pass  # consent goes by the phone: it counts without a contact
    for program in programs:
        try:
            with transaction.atomic():
                _join(program, wish.phone, trace, actor, now)
        except DomainError:
            continue


def _join(program: Program, phone: str, trace: Trace, actor: Actor, now: datetime) -> None:
    number = SenderNumber.objects.get(id=program.form_sender_number_id or 0)
    if ConsentState.objects.filter(phone=phone, program_id=program.id, granted=True).exists():
        return
    if program.double_opt_in or is_opted_out(phone):
        request_opt_in(
            program,
            phone,
            number=number,
            medium=Medium.WEB_FORM,
            basis=f"Asked for it on {trace.source_url} at {now:%Y-%m-%d %H:%M} UTC",
            asked_for_at=now,
            actor=actor,
            now=now,
            trace=trace,
            by_person=True,
        )
        return
    if number.status != NumberStatus.REGISTERED:
        raise OptInRefused(f"{number} may not text at the moment.")
    grant(program, phone, medium=Medium.WEB_FORM, at=now, actor_label=actor.label, now=now, trace=trace)
    queue_compliance_reply(
        number, phone=phone, body=welcome(program), reply_key=f"join:{program.id}:{phone}:{now:%Y-%m-%d}", now=now
    )


def _capture(page: bytes, actor: Actor, now: datetime) -> StoredFile:
    """The page as it was shown: one file for everybody to whom the same was shown."""
    stored = store_file(
        kind=FileKind.EVIDENCE, name="sign-up.html", content_type="text/html", chunks=[page], actor=actor, now=now
    )
    same = StoredFile.objects.filter(
        organization_id=current_organization_id(), sha256=stored.sha256, kind=FileKind.EVIDENCE, name=stored.name
    )
    first: StoredFile = same.order_by("id")[0]
    if first.id != stored.id:
        stored.delete()
    return first
