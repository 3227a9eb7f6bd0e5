from django.db import models
from django.db.models import F, Q

from billing.rules.pricing import Basis
from common.tenancy import TenantModel


class Plan(models.Model):
    """What a tenant pays for. Prices are data: a new price is a new row. No organization."""

    code = models.SlugField(unique=True)
    name = models.CharField(max_length=60)
    basis = models.CharField(max_length=10, choices=[(basis.value, basis.value.lower()) for basis in Basis])
    monthly_credits = models.PositiveIntegerField(default=0)
    price_micros = models.BigIntegerField(help_text="of one credit beyond those of the month")
    recipient_rows = models.PositiveIntegerField(
        default=100_000, db_default=100_000, help_text="the most rows of a recipient list (C7)"
    )
    effective_on = models.DateField()

    def __str__(self) -> str:
        return self.name


class CreditAccount(TenantModel):
    """One for each organization. `balance` and `held` are caches of the entries' sums; the row is the lock."""

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="+")
    balance = models.BigIntegerField(default=0)
    held = models.BigIntegerField(default=0)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["organization"], name="one_credit_account"),
            models.CheckConstraint(condition=Q(held__gte=0), name="account_held_not_negative"),
            models.CheckConstraint(condition=Q(balance__gte=F("held")), name="account_never_overdrawn"),
        ]

    @property
    def available(self) -> int:
        return self.balance - self.held


class LotKind(models.TextChoices):
    PLAN = "PLAN", "Credits of the month"
    PURCHASED = "PURCHASED", "Bought credits"
    BONUS = "BONUS", "Bonus"


class CreditLot(TenantModel):
    """Credits that came together and expire together; plan lots first, then bought ones, which never expire."""

    kind = models.CharField(max_length=10, choices=LotKind.choices)
    balance = models.BigIntegerField(default=0)
    held = models.BigIntegerField(default=0)
    expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [
            models.CheckConstraint(condition=Q(held__gte=0, balance__gte=F("held")), name="lot_never_overdrawn"),
        ]


class Reservation(TenantModel):
    """Credits held for something under way. `captured` counts first moves into a handed-over state."""

    class State(models.TextChoices):
        OPEN = "OPEN", "Held"
        CLOSED = "CLOSED", "Closed"

    reference = models.CharField(max_length=80)
    state = models.CharField(max_length=6, choices=State.choices, default=State.OPEN)
    credits = models.BigIntegerField()
    captured = models.BigIntegerField(default=0)
    posted = models.BigIntegerField(default=0, help_text="the part of captured that CAPTURE entries already hold")
    sequence = models.PositiveIntegerField(default=0, help_text="of the last CAPTURE entry")
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["organization", "reference"], name="reserved_once"),
            models.CheckConstraint(
                condition=Q(posted__gte=0, captured__gte=F("posted"), credits__gte=F("captured")),
                name="captured_within_reserved",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], name="reservation_to_post", condition=Q(captured__gt=F("posted"))),
            models.Index(fields=["organization"], name="reservation_unposted", condition=Q(captured__gt=F("posted"))),
        ]


class ReservationLot(TenantModel):
    """The part of a reservation that a lot stands for."""

    reservation = models.ForeignKey(Reservation, on_delete=models.PROTECT, related_name="lots", db_constraint=False)
    lot = models.ForeignKey(CreditLot, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    credits = models.BigIntegerField()
    posted = models.BigIntegerField(default=0)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["reservation", "lot"], name="lot_once_in_reservation"),
            models.CheckConstraint(condition=Q(posted__gte=0, credits__gte=F("posted")), name="lot_posted_within"),
        ]


class CreditOrder(TenantModel):
    """Credits that an organization wants to buy on invoice; staff note the payment. The price is that of the order."""

    class State(models.TextChoices):
        OPEN = "OPEN", "Waiting for payment"
        PAID = "PAID", "Paid"
        CANCELED = "CANCELED", "Canceled"

    form_id = models.UUIDField(null=True, help_text="the form that ordered: sent twice it is one order")
    credits = models.PositiveIntegerField()
    price_micros = models.BigIntegerField(help_text="of one credit")
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    ordered_by = models.CharField(max_length=160)
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["organization", "form_id"], name="order_of_one_form"),
            models.CheckConstraint(condition=Q(credits__gt=0), name="order_of_some_credits"),
        ]
        indexes = [models.Index(fields=["id"], name="orders_open", condition=Q(state="OPEN"))]

    @property
    def total_micros(self) -> int:
        return self.credits * self.price_micros


class EntryKind(models.TextChoices):
    GRANT = "GRANT", "Credits of the month"
    PURCHASE = "PURCHASE", "Bought"
    BONUS = "BONUS", "Bonus"
    RESERVE = "RESERVE", "Held"
    CAPTURE = "CAPTURE", "Used"
    RELEASE = "RELEASE", "Given back"
    REFUND = "REFUND", "Refund"
    ADJUST = "ADJUST", "Adjustment"
    EXPIRE = "EXPIRE", "Expired"
    OVERAGE = "OVERAGE", "Beyond the plan"


class CreditEntry(TenantModel):
    """One line of the ledger: what it adds to the balance and to what is held. Append-only."""

    kind = models.CharField(max_length=10, choices=EntryKind.choices)
    amount = models.BigIntegerField()
    held = models.BigIntegerField()
    lot = models.ForeignKey(CreditLot, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    reference = models.CharField(max_length=80)
    idempotency_key = models.CharField(max_length=120)
    reason = models.CharField(max_length=200, blank=True)
    actor_label = models.CharField(max_length=160)
    occurred_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["organization", "idempotency_key"], name="entry_once"),
            models.CheckConstraint(condition=~Q(amount=0, held=0), name="entry_moves_something"),
            models.CheckConstraint(condition=~Q(kind="ADJUST") | ~Q(reason=""), name="adjustment_has_reason"),
        ]
        indexes = [
            models.Index(fields=["organization", "-id"], name="entries_newest_first"),
            models.Index(fields=["organization", "occurred_at"], name="captures_in_time", condition=Q(kind="CAPTURE")),
        ]
