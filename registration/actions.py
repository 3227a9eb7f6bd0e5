"""The steps of a registration. Each is one transition, noted with who took it."""

from datetime import datetime

from django.urls import reverse

from accounts.actions import audit, notify
from accounts.models import Notice
from accounts.rules.permissions import Permission
from common.actor import Actor
from common.errors import DomainError
from common.tenancy import current_organization_id
from content.models import StoredFile
from registration.models import EDITABLE, TRANSITIONS, Registration, RegistrationState, ReviewEvent
from senders.actions import set_number_status
from senders.models import NumberStatus, SenderNumber

_NUMBER_STATUS = {
    RegistrationState.SUBMITTED: NumberStatus.PENDING,
    RegistrationState.APPROVED: NumberStatus.REGISTERED,
    RegistrationState.REJECTED: NumberStatus.REJECTED,
}


_NOTICES = {
    RegistrationState.APPROVED: (Notice.Tone.GOOD, "{number} is registered: it may send campaigns now."),
    RegistrationState.REJECTED: (Notice.Tone.TO_DO, "The carrier rejected the registration of {number}. {note}"),
    RegistrationState.CHANGES_REQUESTED: (Notice.Tone.TO_DO, "Please change the registration of {number}: {note}"),
}


class StepNotPossible(DomainError):
    code = "step_not_possible"


def submit_registration(
    *,
    number: SenderNumber,
    use_case: str,
    sample_text: str,
    opt_in_type: str,
    actor: Actor,
    now: datetime,
    evidence: StoredFile | None = None,
) -> Registration:
    """Hand in the questionnaire of a number, for the first time or with what was asked to be changed.

    Raises StepNotPossible while it is with staff or the carrier, and once it is approved.
    """
    # The number is the lock: of two clicks the second finds the registration of the first.
    SenderNumber.objects.select_for_update(no_key=True).get(id=number.id)
    registration = Registration.objects.filter(sender_number=number).order_by("-id").first()
    if registration is None:
        registration = Registration(
            organization_id=current_organization_id(), sender_number=number, state=RegistrationState.DRAFT
        )
        registration.created_at = now
    elif registration.state not in EDITABLE:
        raise StepNotPossible("This number's registration is handed in already. You are told here what comes of it.")
    registration.use_case, registration.sample_text, registration.opt_in_type = use_case, sample_text, opt_in_type
    registration.evidence, registration.updated_at = evidence or registration.evidence, now
    registration.save()
    take_step(registration.id, to=RegistrationState.SUBMITTED, actor=actor, now=now)
    registration.refresh_from_db()
    return registration


def take_step(registration_id: int, *, to: RegistrationState, actor: Actor, now: datetime, note: str = "") -> None:
    """Move a registration on; approval and rejection set the number's status. Raises StepNotPossible."""
    registration = (
        Registration.objects.select_for_update(of=("self",)).select_related("sender_number").get(id=registration_id)
    )
    if to not in TRANSITIONS[registration.state]:
        now_is = RegistrationState(registration.state).label.lower()
        raise StepNotPossible(f"This registration is “{now_is}” and cannot become “{to.label.lower()}” from there.")
    registration.state, registration.updated_at = to, now
    registration.save(update_fields=["state", "updated_at"])
    ReviewEvent.objects.create(
        organization_id=registration.organization_id,
        registration=registration,
        state=to,
        note=note,
        actor_label=actor.label,
        occurred_at=now,
    )
    if to in _NUMBER_STATUS:
        set_number_status(registration.sender_number_id, status=_NUMBER_STATUS[to], actor=actor, now=now)
    if to in _NOTICES:
        tone, words = _NOTICES[to]
        notify(
            tone=tone,
            text=words.format(number=registration.sender_number, note=note).strip(),
            url=reverse("registration:register", args=[registration.sender_number_id]),
            permission=Permission.NUMBERS_REGISTER,
            now=now,
        )
    audit(action="registration.moved", subject=registration, actor=actor, now=now, state=to)


def note_staff_look(registration: Registration, *, actor: Actor, now: datetime) -> None:
    """Staff read a tenant's registration: the tenant's audit log says so."""
    audit(action="registration.viewed_by_staff", subject=registration, actor=actor, now=now)


_R = RegistrationState
_VERDICTS: dict[RegistrationState, tuple[RegistrationState, ...]] = {
    _R.APPROVED: (_R.IN_REVIEW, _R.SENT_TO_CARRIER, _R.APPROVED),
    _R.REJECTED: (_R.IN_REVIEW, _R.SENT_TO_CARRIER, _R.REJECTED),
    _R.CHANGES_REQUESTED: (_R.IN_REVIEW, _R.CHANGES_REQUESTED),
}


def decide_registration(
    registration_id: int, *, verdict: RegistrationState, reviewer: Actor, now: datetime, note: str = ""
) -> None:
    """The reviewer's verdict (APPROVED, REJECTED, CHANGES_REQUESTED), through every step that is still open.

    Raises StepNotPossible where somebody else was faster, or where a no comes without a word.
    """
    if verdict is not RegistrationState.APPROVED and not note.strip():
        raise StepNotPossible("Say in a sentence what has to change: the business reads it.")
    path = _VERDICTS[verdict]
    state = RegistrationState(Registration.objects.values_list("state", flat=True).get(id=registration_id))
    for step in path[path.index(state) + 1 if state in path else 0 :]:
        take_step(registration_id, to=step, actor=reviewer, now=now, note=note if step == verdict else "")


def approve_registration(registration_id: int, *, reviewer: Actor, now: datetime) -> None:
    """The reviewer's yes."""
    decide_registration(registration_id, verdict=RegistrationState.APPROVED, reviewer=reviewer, now=now)
