"""The steps of a registration. Each is one transition, noted with who took it."""

from datetime import datetime

from accounts.actions import audit
from common.actor import Actor
from common.errors import DomainError
from common.tenancy import current_organization_id
from registration.models import TRANSITIONS, Registration, RegistrationState, ReviewEvent
from senders.actions import set_number_status
from senders.models import NumberStatus, SenderNumber

_NUMBER_STATUS = {
    RegistrationState.SUBMITTED: NumberStatus.PENDING,
    RegistrationState.APPROVED: NumberStatus.REGISTERED,
    RegistrationState.REJECTED: NumberStatus.REJECTED,
}


class StepNotPossible(DomainError):
    code = "step_not_possible"


def submit_registration(
    *, number: SenderNumber, use_case: str, sample_text: str, opt_in_type: str, actor: Actor, now: datetime
) -> Registration:
    """Fill in and hand in the questionnaire of a number."""
    registration: Registration = Registration.objects.create(
        organization_id=current_organization_id(),
        sender_number=number,
        use_case=use_case,
        sample_text=sample_text,
        opt_in_type=opt_in_type,
        created_at=now,
        updated_at=now,
    )
    take_step(registration.id, to=RegistrationState.SUBMITTED, actor=actor, now=now)
    registration.refresh_from_db()
    return registration


def take_step(registration_id: int, *, to: RegistrationState, actor: Actor, now: datetime, note: str = "") -> None:
    """Move a registration on; approval and rejection set the number's status. Raises StepNotPossible."""
    registration = Registration.objects.select_for_update().get(id=registration_id)
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
    audit(action="registration.moved", subject=registration, actor=actor, now=now, state=to)


def approve_registration(registration_id: int, *, reviewer: Actor, now: datetime) -> None:
    """The reviewer's yes, through every step that is still open."""
    steps = (RegistrationState.IN_REVIEW, RegistrationState.SENT_TO_CARRIER, RegistrationState.APPROVED)
    state = RegistrationState(Registration.objects.values_list("state", flat=True).get(id=registration_id))
    for step in steps[steps.index(state) + 1 if state in steps else 0 :]:
        take_step(registration_id, to=step, actor=reviewer, now=now)
