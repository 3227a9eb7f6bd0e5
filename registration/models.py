from django.db import models
from django.db.models import Q

from common.tenancy import TenantModel


class RegistrationState(models.TextChoices):
    DRAFT = "DRAFT", "Draft"
    SUBMITTED = "SUBMITTED", "Submitted"
    IN_REVIEW = "IN_REVIEW", "In review"
    CHANGES_REQUESTED = "CHANGES_REQUESTED", "Changes requested"
    SENT_TO_CARRIER = "SENT_TO_CARRIER", "With the carrier"
    APPROVED = "APPROVED", "Approved"
    REJECTED = "REJECTED", "Rejected"


EDITABLE = frozenset(
    {RegistrationState.DRAFT, RegistrationState.CHANGES_REQUESTED, RegistrationState.REJECTED},
)
"""The tenant may change the answers and hand them in again."""

WITH_STAFF = frozenset(
    {RegistrationState.SUBMITTED, RegistrationState.IN_REVIEW, RegistrationState.SENT_TO_CARRIER},
)
"""A reviewer's move is next."""

TRANSITIONS: dict[str, frozenset[str]] = {
    RegistrationState.DRAFT: frozenset({RegistrationState.SUBMITTED}),
    RegistrationState.SUBMITTED: frozenset({RegistrationState.IN_REVIEW}),
    RegistrationState.IN_REVIEW: frozenset({RegistrationState.CHANGES_REQUESTED, RegistrationState.SENT_TO_CARRIER}),
    RegistrationState.CHANGES_REQUESTED: frozenset({RegistrationState.SUBMITTED}),
    RegistrationState.SENT_TO_CARRIER: frozenset({RegistrationState.APPROVED, RegistrationState.REJECTED}),
    RegistrationState.APPROVED: frozenset(),
    RegistrationState.REJECTED: frozenset({RegistrationState.SUBMITTED}),
}


class Registration(TenantModel):
    """The questionnaire by which a sender number becomes allowed to text. One is open for a number at a time."""

    sender_number = models.ForeignKey(
        "senders.SenderNumber", on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    state = models.CharField(max_length=18, choices=RegistrationState.choices, default=RegistrationState.DRAFT)
    use_case = models.TextField()
    sample_text = models.TextField()
    opt_in_type = models.CharField(max_length=20)
    evidence = models.ForeignKey(
        "content.StoredFile", on_delete=models.PROTECT, related_name="+", null=True, db_constraint=False
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["sender_number"],
                name="one_open_registration",
                condition=~Q(state__in=[RegistrationState.APPROVED]),
            ),
        ]


class ReviewEvent(TenantModel):
    """A step of a registration, as the tenant sees it; append-only."""

    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, related_name="steps", db_constraint=False)
    state = models.CharField(max_length=18, choices=RegistrationState.choices)
    note = models.TextField(blank=True)
    actor_label = models.CharField(max_length=160)
    occurred_at = models.DateTimeField()
