"""Signing up on the public page of a program."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import transaction

from accounts.actions import notify
from accounts.models import Notice
from accounts.rules.permissions import Permission
from billing.actions import NotEnoughCredits
from common.actor import Actor
from common.errors import DomainError
from common.rates import within_rate
from common.sql import hold
from common.tenancy import across_organizations, current_organization_id
from consent.actions import Trace, grant, welcome
from consent.models import ConsentState, Program
from consent.queries import has_stopped
from consent.rules.media import Medium
from contacts.actions import ContactContent, create_contact
from contacts.actions.people import ContactRefused
from contacts.queries import contacts_of
from content.actions import store_file
from content.models import FileKind, StoredFile
from messaging.actions.opt_ins import request_opt_in
from messaging.actions.queueing import queue_compliance_reply
from senders.models import NumberStatus, SenderNumber

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SignUp:
    """What somebody sent from the page: `page` is its HTML as it was shown, before anything was filled in.

    `medium`: the page, or the QR code that led to it.
    """

    phone: str
    name: str
    page: bytes
    source_url: str
    ip_address: str
    user_agent: str
    medium: Medium = Medium.WEB_FORM


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
    hold(f"join:{current_organization_id()}:{wish.phone}")  # the second click waits for the first
    actor = Actor(label=wish.phone)  # whatever name was typed: the register must not show it as if a member had done it
    evidence = _capture(wish.page, actor, now)
    trace = Trace(
        source_url=wish.source_url[:2000],
        ip_address=wish.ip_address or None,
        user_agent=wish.user_agent[:500],
        identity=wish.name[:200] or None,
        evidence_id=evidence.id,
    )
    joined = False
    for program in programs:
        try:
            with transaction.atomic():
                joined |= _join(program, wish, trace, actor, now)
        except DomainError as error:
            log.info("sign_up_refused", program=program.id, error=error.code)
            if isinstance(error, NotEnoughCredits):
                _tell(program, now)
    if joined and wish.phone not in contacts_of([wish.phone]):
        _create_contact(wish, actor, now)


def _join(program: Program, wish: SignUp, trace: Trace, actor: Actor, now: datetime) -> bool:
    """Agree, or ask them to confirm it; False: they had agreed before."""
    number = SenderNumber.objects.get(id=program.form_sender_number_id or 0)
    if ConsentState.objects.filter(phone=wish.phone, program_id=program.id, granted=True).exists():
        return False
    if program.double_opt_in or has_stopped(wish.phone, program_id=program.id):
        request_opt_in(
            program,
            wish.phone,
            number=number,
            medium=wish.medium,
            basis=f"Asked for it on {trace.source_url} at {now:%Y-%m-%d %H:%M} UTC",
            asked_for_at=now,
            actor=actor,
            now=now,
            trace=trace,
            by_person=True,
        )
        return True
    grant(program, wish.phone, medium=wish.medium, at=now, actor_label=actor.label, now=now, trace=trace)
    key = f"join:{program.id}:{wish.phone}:{now:%Y-%m-%d}"
    queue_compliance_reply(number, phone=wish.phone, body=welcome(program), reply_key=key, now=now)
    return True


def may_text(program: Program) -> bool:
    """Whether the number of the program's page may text at the moment: else nobody can sign up."""
    number = SenderNumber.objects.filter(id=program.form_sender_number_id or 0).first()
    return number is not None and number.status == NumberStatus.REGISTERED


def _create_contact(wish: SignUp, actor: Actor, now: datetime) -> None:
    first, _, last = _plain_name(wish.name).partition(" ")
    content = ContactContent({"first_name": first[:80], "last_name": last[:80]}, [("MOBILE", wish.phone)])
    try:
        with transaction.atomic():
            create_contact(content, actor=actor, now=now)
    except ContactRefused:
        pass  # consent goes by the phone: it counts without a contact


def _plain_name(typed: str) -> str:
    """The name as later texts may carry it: whoever types an address there must not have it texted by the business."""
    name = typed.strip()
    return (
        name if re.fullmatch(r"[^\W\d_]+(?:[ .'’-]+[^\W\d_]+)*\.?", name) and not re.search(r"\w\.\w\w", name) else ""
    )


def _tell(program: Program, now: datetime) -> None:
    if within_rate(f"join-no-credits:{program.organization_id}", limit=1, seconds=24 * 3600):
        notify(
            tone=Notice.Tone.TO_DO,
            text=f"Somebody signed up for “{program}” and could not be asked to confirm it: there are no credits.",
            permission=Permission.CAMPAIGNS_CREATE,
            now=now,
        )


def _capture(page: bytes, actor: Actor, now: datetime) -> StoredFile:
    """The page as it was shown: one file for everybody to whom the same was shown."""
    same = StoredFile.objects.filter(
        organization_id=current_organization_id(), sha256=hashlib.sha256(page).hexdigest(), kind=FileKind.EVIDENCE
    )
    first: StoredFile | None = same.order_by("id").first()
    return first or store_file(
        kind=FileKind.EVIDENCE, name="sign-up.html", content_type="text/html", chunks=[page], actor=actor, now=now
    )
