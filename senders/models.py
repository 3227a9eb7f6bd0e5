from django.db import models
from django.db.models import Q

from common.phones import for_people
from common.tenancy import TenantModel
from senders.rules.lanes import LANES


class CarrierAccount(models.Model):
    """Credentials at a carrier: the platform's (no organization) or an organization's. Only the platform role reads."""

    class Gateway(models.TextChoices):
        TWILIO = "TWILIO", "Twilio REST API"
        NULL = "NULL", "None (benchmarks)"

    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="+", null=True)
    gateway = models.CharField(max_length=10, choices=Gateway.choices)
    account_sid = models.CharField(max_length=64, unique=True)
    auth_token = models.CharField(max_length=120)
    base_url = models.URLField(default="https://api.twilio.com")
    witnessed_at = models.DateTimeField(null=True, help_text="when it last told us everything that it knows of STOPs")
    created_at = models.DateTimeField()


class NumberStatus(models.TextChoices):
    UNREGISTERED = "UNREGISTERED", "Not registered"
    PENDING = "PENDING", "In review"
    REGISTERED = "REGISTERED", "Registered"
    REJECTED = "REJECTED", "Rejected"
    SUSPENDED = "SUSPENDED", "Suspended"


class SenderKind(models.TextChoices):
    TOLL_FREE = "TOLL_FREE", "Toll-free number"
    LOCAL = "LOCAL", "Local number (10DLC)"
    SHORT_CODE = "SHORT_CODE", "Short code"
    ALPHANUMERIC = "ALPHANUMERIC", "Company name"


class SenderNumber(TenantModel):
    """A number or name that texts are sent from, with the speed the carrier allows it."""

    carrier_account = models.ForeignKey(CarrierAccount, on_delete=models.PROTECT, related_name="+")
    sender = models.CharField(max_length=16, help_text="E.164, short code or name")
    kind = models.CharField(max_length=12, choices=SenderKind.choices)
    status = models.CharField(max_length=12, choices=NumberStatus.choices, default=NumberStatus.UNREGISTERED)
    segments_per_second = models.DecimalField(max_digits=7, decimal_places=2, null=True, help_text="empty: no limit")
    can_mms = models.BooleanField(default=False)
    department = models.ForeignKey(
        "accounts.Department", on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    lane = models.PositiveSmallIntegerField()
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["carrier_account", "sender"], name="sender_once_at_carrier"),
            models.CheckConstraint(
                condition=Q(segments_per_second=None) | Q(segments_per_second__gt=0), name="rate_positive"
            ),
            models.CheckConstraint(condition=Q(lane__lt=LANES), name="lane_in_range"),
        ]
        indexes = [models.Index(fields=["lane"], name="number_by_lane")]

    def __str__(self) -> str:
        return for_people(self.sender)

    @property
    def is_name(self) -> bool:
        """Whether people see a name, which nobody can answer."""
        return self.kind == SenderKind.ALPHANUMERIC


class NumberRequest(TenantModel):
    """An organization asks the platform's staff for a number. One is open at a time."""

    class State(models.TextChoices):
        OPEN = "OPEN", "Asked for"
        GIVEN = "GIVEN", "Given"
        DECLINED = "DECLINED", "Declined"

    kind = models.CharField(max_length=12, choices=SenderKind.choices)
    wish = models.CharField(max_length=200, blank=True, help_text="area code, ending, a number brought along")
    department = models.ForeignKey(
        "accounts.Department", on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    answer = models.CharField(max_length=200, blank=True, help_text="in words of staff, where it was declined")
    requested_by = models.CharField(max_length=160)
    created_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["organization"], name="one_open_number_request", condition=Q(state="OPEN")),
            models.CheckConstraint(condition=~Q(state="DECLINED") | ~Q(answer=""), name="declined_says_why"),
        ]
