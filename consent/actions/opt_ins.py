"""Agreeing: by a word, by confirming a request (double opt-in), by a hosted form, and as a person notes it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.db.models import DateTimeField, F, Q, Value
from django.db.models.functions import Greatest

from accounts.actions import audit
from accounts.queries import current_organization
from common.actor import Actor
from common.errors import DomainError
from common.sql import run
from common.tenancy import current_organization_id
from consent.models import Action, ConsentRecord, ConsentState, OptInRequest, OptOut, Program
from consent.queries.panel import has_stopped
from consent.rules.law import period
from consent.rules.media import MEDIA, Level, Medium, may_grant
from consent.rules.projection import BY_PERSON, CONVERSATIONAL, STOPPING
from consent.rules.seals import digest_of_words
from content.models import StoredFile
from events.actions import publish

REQUEST_DAYS = period("opt_in_request_days").value
ANSWER_WITHIN = timedelta(days=7)
"""A request that nobody has answered by then asks for nothing any more."""
REMIND_AFTER = timedelta(days=1)


class OptInRefused(DomainError):
    code = "opt_in_refused"


@dataclass(frozen=True, slots=True)
class Trace:
    """Where and how a person agreed, as far as it is known; what is not stays None."""

    source_url: str | None = None
    ip_address: str | None = None
    user_agent: str | None = None
    identity: str | None = None
    department_id: int | None = None
    evidence_id: int | None = None
    inbound_sid: str | None = None
    note: str | None = None
    message_id: int | None = None


_NOWHERE = Trace()


def grant(
    program: Program,
    phone: str,
    *,
    medium: Medium,
    at: datetime,
    actor_label: str,
    now: datetime,
    trace: Trace = _NOWHERE,
    version: int | None = None,
) -> None:
    """Write that a person agreed to a program, and what their consents come to.

    `version` of the words, None: today's, 0: others than we know (a form on paper).

    Whoever calls this has made sure that the phone is not opted out, or lifts it in the same transaction.
    """
    version = program.opt_in_version if version is None else version
    words = program.versions.filter(version=version).values_list("opt_in_text", flat=True).first()
    ConsentRecord.objects.create(
        organization_id=current_organization_id(),
        phone=phone,
        program_id=program.id,
        action=Action.GRANT,
        occurred_at=at,
        medium=medium,
        program_version=version or None,
        words_sha256=digest_of_words(words) if words is not None else None,
        evidence_sha256=_digest_of_evidence(trace.evidence_id),
        source_url=trace.source_url,
        ip_address=trace.ip_address,
        user_agent=trace.user_agent,
        identity=trace.identity,
        department_id=trace.department_id,
        evidence_id=trace.evidence_id,
        inbound_sid=trace.inbound_sid,
        note=trace.note,
        message_id=trace.message_id,
        actor_label=actor_label,
        recorded_at=now,
    )
    values = {"organization": current_organization_id(), "phone": phone, "program": program.id, "at": at}
    run(_GRANT, values | {"by_person": medium in BY_PERSON})
    publish(kind="consent.granted", payload={"phone": phone, "program": program.id, "medium": medium.value}, now=now)


def _digest_of_evidence(evidence_id: int | None) -> str | None:
    if evidence_id is None:
        return None
    found: str | None = StoredFile.objects.filter(id=evidence_id).values_list("sha256", flat=True).first()
    return found


def withdraw(
    phone: str,
    *,
    program_id: int,
    medium: str,
    at: datetime,
    actor_label: str,
    now: datetime,
    trace: Trace = _NOWHERE,
) -> bool:
    """Write that a person takes back their consent to one program; False: there was none."""
    states = ConsentState.objects.filter(phone=phone, program_id=program_id, granted=True)
    stopped = medium in STOPPING
    if not states.update(
        granted=False, stopped=stopped, changed_at=Greatest(F("changed_at"), Value(at, DateTimeField()))
    ):
        return False
    ConsentRecord.objects.create(
        organization_id=current_organization_id(),
        phone=phone,
        program_id=program_id,
        action=Action.WITHDRAW,
        occurred_at=at,
        medium=medium,
        evidence_id=trace.evidence_id,
        evidence_sha256=_digest_of_evidence(trace.evidence_id),
        inbound_sid=trace.inbound_sid,
        note=trace.note,
        actor_label=actor_label,
        recorded_at=now,
    )
    publish(kind="consent.withdrawn", payload={"phone": phone, "program": program_id}, now=now)
    return True


# Double opt-in ------------------------------------------------------------------------------------------------------


def open_request(
    program: Program,
    phone: str,
    *,
    sender_number_id: int,
    medium: Medium,
    basis: str,
    asked_for_at: datetime,
    actor_label: str,
    now: datetime,
    trace: Trace = _NOWHERE,
    by_person: bool = False,
) -> OptInRequest:
    """Note that somebody is to confirm that they want a program. Raises OptInRefused.

    Once for each phone and program in 30 days, unless the person asks again by a text of theirs; needs to be told who
    asked for it, where and when. After a STOP only the person may begin it (`by_person`: their text, our hosted form).
    """
    if not basis.strip():
        raise OptInRefused("Say where and when this person asked for your texts. Without it nobody is asked.")
    if asked_for_at > now:
        raise OptInRefused("The day on which they asked lies in the future. Enter when they asked for it.")
    if ConsentState.objects.filter(phone=phone, program_id=program.id, granted=True).exists():
        raise OptInRefused(f"This person agreed to “{program}” already.")
    if not by_person:
        check_not_stopped(program, phone)
    before = OptInRequest.objects.filter(phone=phone, program=program)
    asks_again = by_person and medium == Medium.KEYWORD
    if not asks_again and before.filter(created_at__gt=now - timedelta(days=REQUEST_DAYS)).exists():
        raise OptInRefused(f"This person was asked within the last {REQUEST_DAYS} days. Wait until those are over.")
    before.filter(state=OptInRequest.State.WAITING).update(state=OptInRequest.State.EXPIRED)
    request = OptInRequest(
        organization_id=current_organization_id(),
        phone=phone,
        program=program,
        program_version=program.opt_in_version,
        sender_number_id=sender_number_id,
        medium=medium,
        basis=basis.strip(),
        asked_for_at=asked_for_at,
        source_url=trace.source_url,
        ip_address=trace.ip_address,
        user_agent=trace.user_agent,
        identity=trace.identity,
        evidence_id=trace.evidence_id,
        inbound_sid=trace.inbound_sid,
        actor_label=actor_label,
        created_at=now,
        expires_at=now + ANSWER_WITHIN,
    )
    try:
        with transaction.atomic():
            request.save()
    except IntegrityError as error:  # the second click
        raise OptInRefused("This person is being asked already.") from error
    publish(kind="opt_in.requested", payload={"phone": phone, "program": program.id}, now=now)
    return request


def note_request_text(inbound_sid: str, *, message_id: int) -> None:
    """The text by which we ask back who texted a word: one of the two messages of a double opt-in."""
    OptInRequest.objects.filter(inbound_sid=inbound_sid).update(message_id=message_id)


def confirm_request(request: OptInRequest, *, inbound_sid: str, at: datetime, now: datetime) -> None:
    """The person said yes: write the consent with both messages."""
    request.state, request.answered_at = OptInRequest.State.CONFIRMED, at
    request.save(update_fields=["state", "answered_at"])
    grant(
        request.program,
        request.phone,
        medium=Medium.DOUBLE_OPT_IN,
        at=at,
        actor_label=request.phone,
        now=now,
        version=request.program_version,
        trace=Trace(
            source_url=request.source_url,
            ip_address=request.ip_address,
            user_agent=request.user_agent,
            identity=request.identity,
            evidence_id=request.evidence_id,
            inbound_sid=inbound_sid,
            note=request.basis,
            message_id=request.message_id,
        ),
    )


def lift_opt_out(phone: str, *, medium: Medium, inbound_sid: str, at: datetime, now: datetime) -> bool:
    """The person comes back by a text of their own; False where a later STOP stands against it, or none at all."""
    later = Q(opted_out_at__gt=at) | Q(said_again_at__gt=at)
    # Looked at and lifted in one statement: a STOP that comes in this moment stands.
    if not OptOut.objects.filter(phone=phone, lifted_at=None).exclude(later).update(lifted_at=at):
        return False
    ConsentRecord.objects.create(
        organization_id=current_organization_id(),
        phone=phone,
        program_id=CONVERSATIONAL,
        action=Action.START,
        occurred_at=at,
        medium=medium,
        inbound_sid=inbound_sid,
        actor_label=phone,
        recorded_at=now,
    )
    publish(kind="opt_out.removed", payload={"phone": phone}, now=now)
    return True


def check_not_stopped(program: Program, phone: str) -> None:
    """Raises OptInRefused where the person said STOP."""
    if has_stopped(phone, program_id=program.id):
        raise OptInRefused("This person said STOP. Only they can come back: by texting START, or a word of a program.")


def expire_requests(*, now: datetime) -> None:
    """Requests that nobody has answered in time ask for nothing any more."""
    waiting = OptInRequest.objects.filter(state=OptInRequest.State.WAITING)
    waiting.filter(expires_at__lt=now).update(state=OptInRequest.State.EXPIRED, answered_at=F("expires_at"))


# By hand ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Noted:
    """What a person of the organization notes of somebody's consent, with the reason and what proves it."""

    reason: str
    medium: Medium
    at: datetime
    evidence_id: int | None = None


def note_consent(phone: str, *, program_id: int, noted: Noted, actor: Actor, now: datetime) -> None:
    """Note by hand that somebody agreed (B5). Raises OptInRefused.

    Promotional texts need written consent and its proof; who said stop comes back by a text of their own alone.
    """
    program = Program.objects.filter(id=program_id).first()
    if program is None:
        raise OptInRefused("A conversation is begun by the person, with a text. Choose the program they agreed to.")
    level = Level(program.level)
    if not noted.reason.strip():
        raise OptInRefused("Say how you know: where the person agreed, and to what.")
    if noted.at > now:
        raise OptInRefused("The day on which they agreed lies in the future. Enter today or an earlier day.")
    check_not_stopped(program, phone)
    if not may_grant(noted.medium, level):
        ways = ", ".join(rule.label for rule in MEDIA.values() if level in rule.grants)
        raise OptInRefused(
            f"“{MEDIA[noted.medium].label}” is not enough for {level.lower()} messages. They need one of: {ways}."
        )
    if noted.evidence_id is None and (level == Level.PROMOTIONAL or noted.medium in _PROVEN_BY_A_FILE):
        what = "Promotional texts need" if level == Level.PROMOTIONAL else f"“{MEDIA[noted.medium].label}” needs"
        raise OptInRefused(f"{what} proof: add {MEDIA[noted.medium].evidence}, as a picture, PDF or recording.")
    state = ConsentState.objects.filter(phone=phone, program_id=program.id).first()
    if state is not None and state.granted:
        raise OptInRefused(f"This person agreed to “{program}” already.")
    if state is not None and state.changed_at >= noted.at:
        there = state.changed_at.astimezone(ZoneInfo(current_organization().time_zone))
        raise OptInRefused(
            f"They took it back on {there:%B %-d, %Y} at {there:%H:%M}, after the day that you name. Enter when they "
            "agreed since."
        )
    shown = program.versions.filter(created_at__lte=noted.at).order_by("-version")
    version = shown.values_list("version", flat=True).first() or 0
    trace = Trace(evidence_id=noted.evidence_id, note=noted.reason.strip())
    medium, by = noted.medium, actor.label
    grant(program, phone, medium=medium, at=noted.at, actor_label=by, now=now, trace=trace, version=version)
    audit(action="consent.noted", subject=program, actor=actor, now=now, medium=noted.medium)


def note_withdrawal(
    phone: str,
    *,
    program_id: int,
    reason: str,
    actor: Actor,
    now: datetime,
    at: datetime | None = None,
    evidence_id: int | None = None,
) -> None:
    """Note by hand that somebody takes back one consent; CONVERSATIONAL ends the conversation. Raises OptInRefused."""
    if not reason.strip():
        raise OptInRefused("Say how you know that they take it back.")
    if at is not None and at > now:
        raise OptInRefused("The day on which they took it back lies in the future. Enter today or an earlier day.")
    trace = Trace(note=reason.strip(), evidence_id=evidence_id)
    by, when = actor.label, at or now
    if not withdraw(phone, program_id=program_id, medium=NOTED, at=when, actor_label=by, now=now, trace=trace):
        raise OptInRefused("They have no consent to this program. Choose another, or note an opt-out from everything.")
    program = Program.objects.filter(id=program_id).first()
    audit(action="consent.withdrawn", subject=program or current_organization(), actor=actor, now=now)


NOTED = "NOTED"
_PROVEN_BY_A_FILE = (Medium.PAPER_FORM, Medium.VERBAL, Medium.IVR)
"""What leaves nothing behind but a photo of the form, or the script that was spoken (B1)."""

_GRANT = """
INSERT INTO consent_consentstate AS s (organization_id, phone, program_id, granted, changed_at, stopped)
VALUES (%(organization)s, %(phone)s, %(program)s, true, %(at)s, false)
ON CONFLICT (organization_id, phone, program_id)
DO UPDATE SET granted = true, stopped = false, changed_at = GREATEST(s.changed_at, excluded.changed_at)
WHERE CASE WHEN s.stopped AND NOT s.granted THEN %(by_person)s ELSE s.changed_at < excluded.changed_at END
"""
