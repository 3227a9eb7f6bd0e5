from typing import get_args

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from common.tenancy import TenantModel, tenant_key
from content.rules.segments import Encoding
from messaging.rules.kinds import TextKind
from messaging.rules.states import HANDED_OVER, TROUBLE, State
from senders.rules.lanes import LANES


class StreamState(models.TextChoices):
    OPEN = "OPEN", "Open"
    PAUSED = "PAUSED", "Paused"
    CLOSED = "CLOSED", "Closed"


class Stream(TenantModel):
    """A queue of messages that start, wait and end together; pausing a million messages changes this one row."""

    sender_number_id = models.BigIntegerField()
    kind = models.CharField(max_length=14, choices=[(kind.value, kind.value.lower()) for kind in TextKind])
    priority = models.PositiveSmallIntegerField()
    source = models.CharField(max_length=60, help_text="whose texts: `outreach:12`, `number:3`")
    bucket = models.CharField(max_length=400, blank=True, help_text="recipients with the same hours")
    program_id = models.BigIntegerField(null=True)
    reservation_id = models.BigIntegerField(null=True)
    media_ids = ArrayField(models.BigIntegerField(), default=list, help_text="pictures that go with each message")
    hourly_limit = models.PositiveIntegerField(null=True, help_text="messages an hour of all that share it")
    hourly_for = models.CharField(max_length=60, db_default="", help_text="who share it: a campaign's outreaches")
    held_for = models.CharField(max_length=16, blank=True, help_text="the kind of error that paused it by itself")
    state = models.CharField(max_length=6, choices=StreamState.choices, default=StreamState.OPEN)
    # Hours as UTC instants: sendable from open_from until before open_until; empty is without bound.
    open_from = models.DateTimeField(null=True)
    open_until = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["organization", "source", "bucket", "kind"], name="stream_once"),
            models.CheckConstraint(
                condition=Q(open_from=None) | Q(open_until=None) | Q(open_from__lt=models.F("open_until")),
                name="window_opens_before_it_closes",
            ),
        ]
        indexes = [
            models.Index(fields=["sender_number_id"], name="stream_not_closed", condition=~Q(state="CLOSED")),
        ]


class Message(TenantModel):
    """One text to one phone. Rows are many: no enforced foreign key, and moved by set-based statements alone."""

    organization = tenant_key(enforced=False)
    stream_id = models.BigIntegerField()
    sender_number_id = models.BigIntegerField()
    carrier_account_id = models.BigIntegerField()
    campaign_id = models.BigIntegerField(null=True)
    contact_id = models.BigIntegerField(null=True)
    reservation_id = models.BigIntegerField(null=True)
    template_version_id = models.BigIntegerField(null=True, help_text="of an answer that began with a template")
    reply_key = models.CharField(max_length=90, null=True, help_text="inbound sid and kind: one reply for each")
    phone = models.CharField(max_length=16)
    body = models.TextField()
    encoding = models.CharField(max_length=5, choices=[(name, name) for name in get_args(Encoding)])
    segments = models.PositiveSmallIntegerField()
    credits = models.PositiveSmallIntegerField()
    digest = models.BigIntegerField()
    state = models.CharField(max_length=11, choices=[(s.value, s.value) for s in State], default=State.QUEUED)
    reason = models.CharField(max_length=40, blank=True, help_text="why it was skipped or failed")
    error_code = models.IntegerField(null=True)
    captured = models.BooleanField(default=False, help_text="its credits were counted, once")
    claim_id = models.UUIDField(null=True)
    sid = models.CharField(max_length=64, null=True)
    created_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True, help_text="when the outcome became known")

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["campaign_id", "phone"], name="texted_once", condition=~Q(campaign_id=None)
            ),
            models.UniqueConstraint(
                fields=["carrier_account_id", "sid"], name="sid_once_at_carrier", condition=~Q(sid=None)
            ),
            models.UniqueConstraint(
                fields=["organization", "reply_key"], name="reply_once", condition=~Q(reply_key=None)
            ),
            models.CheckConstraint(condition=Q(segments__gte=1), name="message_has_a_segment"),
            models.CheckConstraint(condition=Q(state__in=[state.value for state in State]), name="message_state_known"),
            models.CheckConstraint(
                condition=~Q(state__in=sorted(HANDED_OVER)) | Q(captured=True), name="handed_over_is_captured"
            ),
        ]
        indexes = [
            models.Index(fields=["stream_id", "id"], name="message_queue", condition=Q(state="QUEUED")),
            models.Index(
                fields=["state", "claimed_at"],
                name="message_in_doubt",
                condition=Q(state__in=["CLAIMED", "UNKNOWN", "ACCEPTED", "SENT"]),
            ),
            models.Index(fields=["organization", "phone", "id"], name="message_of_phone"),
            # What went wrong with a campaign: few rows, asked for by reason.
            models.Index(
                fields=["campaign_id", "state", "error_code", "reason", "phone"],
                name="message_in_trouble",
                condition=Q(campaign_id__isnull=False, state__in=sorted(TROUBLE)),
            ),
        ]


class DeliveryEvent(TenantModel):
    """What came from outside or went wrong on the way of a message; append-only."""

    organization = tenant_key(enforced=False)
    message_id = models.BigIntegerField()
    source = models.CharField(max_length=10, help_text="RECEIPT, SWEEP, RECONCILE")
    sid = models.CharField(max_length=64, blank=True)
    status = models.CharField(max_length=20)
    error_code = models.IntegerField(default=0)
    occurred_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["sid", "status", "error_code"], name="receipt_once", condition=~Q(sid="")),
        ]
        indexes = [models.Index(fields=["message_id"], name="events_of_message")]


class RecentText(TenantModel):
    """The last time that a phone was handed a text: the duplicate window. One row for each phone and text."""

    pk = models.CompositePrimaryKey("organization_id", "phone", "digest")
    organization = tenant_key(enforced=False)
    phone = models.CharField(max_length=16)
    digest = models.BigIntegerField()
    message_id = models.BigIntegerField()
    texted_at = models.DateTimeField()


class OutcomeDelta(TenantModel):
    """A change of the counts of a stream, squashed into OutcomeCount in the background."""

    organization = tenant_key(enforced=False)
    stream_id = models.BigIntegerField()
    state = models.CharField(max_length=11)
    messages = models.IntegerField()
    segments = models.IntegerField()
    credits = models.IntegerField()

    class Meta(TenantModel.Meta):
        indexes = [models.Index(fields=["stream_id"], name="deltas_of_stream")]


class OutcomeCount(TenantModel):
    """How many messages of a stream are in a state; with the deltas beside it, exact at any moment."""

    organization = tenant_key(enforced=False)
    stream_id = models.BigIntegerField()
    state = models.CharField(max_length=11)
    messages = models.BigIntegerField()
    segments = models.BigIntegerField()
    credits = models.BigIntegerField()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["stream_id", "state"], name="outcome_counted_once")]


class AnswerCount(TenantModel):
    """What the carriers answered to a source's texts in a span of time, and how much of it filtered or unregistered."""

    organization = tenant_key(enforced=False)
    source = models.CharField(max_length=60)
    span = models.DateTimeField()
    answered = models.IntegerField()
    refused = models.IntegerField()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["organization", "source", "span"], name="answers_counted_once")]
        indexes = [models.Index(fields=["span"], name="answers_by_age")]


class SpeedSample(TenantModel):
    """Segments that a stream handed over since the last squash of its counters: what the chart of speed is drawn of."""

    organization = tenant_key(enforced=False)
    stream_id = models.BigIntegerField()
    sampled_at = models.DateTimeField()
    segments = models.IntegerField()

    class Meta(TenantModel.Meta):
        indexes = [
            models.Index(fields=["stream_id", "-sampled_at"], name="speed_of_stream"),
            models.Index(fields=["sampled_at"], name="speed_by_age"),
        ]


class InboundText(TenantModel):
    """A text from a phone to one of our numbers, as the carrier told it; what it meant is written elsewhere."""

    organization = tenant_key(enforced=False)
    sender_number_id = models.BigIntegerField()
    carrier_account_id = models.BigIntegerField()
    sid = models.CharField(max_length=64)
    phone = models.CharField(max_length=16)
    body = models.TextField()
    received_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["carrier_account_id", "sid"], name="inbound_once")]
        indexes = [models.Index(fields=["organization", "phone", "id"], name="inbound_of_phone")]


class Link(TenantModel):
    """An address in the text of a campaign, and how often it was followed by people."""

    organization = tenant_key(enforced=False)
    campaign_id = models.BigIntegerField()
    place = models.PositiveSmallIntegerField(help_text="which link of the text, from 0")
    url = models.CharField(max_length=2000, blank=True, help_text="empty: the page where the person stops all texts")
    expires_at = models.DateTimeField()
    people = models.IntegerField(default=0, help_text="who followed it at least once")
    clicks = models.IntegerField(default=0)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["organization", "campaign_id", "place"], name="link_of_text_once"),
            models.CheckConstraint(condition=Q(url__startswith="https://") | Q(url=""), name="link_is_https"),
        ]


class ShortLink(TenantModel):
    """One person's own short address of a link."""

    organization = tenant_key(enforced=False)
    link = models.ForeignKey(Link, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    code = models.CharField(max_length=12)
    contact_id = models.BigIntegerField()
    phone = models.CharField(max_length=16)
    clicked_at = models.DateTimeField(null=True, help_text="the first time")

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["code"], name="code_once")]
        indexes = [
            models.Index(fields=["link", "phone"], name="clicked_links", condition=Q(clicked_at__isnull=False)),
            models.Index(fields=["organization", "phone"], name="clicks_of", condition=Q(clicked_at__isnull=False)),
        ]


class Click(TenantModel):
    """A short link was asked for; append-only. A robot's look is kept and not counted."""

    organization = tenant_key(enforced=False)
    short_link_id = models.BigIntegerField()
    clicked_at = models.DateTimeField()
    robot = models.BooleanField()
    agent = models.CharField(max_length=200, blank=True)

    class Meta(TenantModel.Meta):
        indexes = [models.Index(fields=["short_link_id"], name="clicks_of_short_link")]


# The platform's own tables: no organization, or none known yet.


class CarrierEvent(models.Model):
    """A status callback as it arrived, until a consumer has applied it. Verified, nothing more."""

    account_sid = models.CharField(max_length=64)
    message_id = models.BigIntegerField(null=True, help_text="ours, from the callback address")
    form = models.JSONField()
    received_at = models.DateTimeField()


class CarrierInbound(models.Model):
    """An inbound text as it arrived, until a consumer has applied it: never behind receipts.

    Who says STOP is `urgent`, and goes before what others wrote; of one phone the order stays. `obeyed`: that person's
    texts have been stopped already; the answer is still due.
    """

    account_sid = models.CharField(max_length=64)
    phone = models.CharField(max_length=32, db_default="")
    urgent = models.BooleanField(db_default=False)
    obeyed = models.BooleanField(db_default=False)
    form = models.JSONField()
    received_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["id"], name="urgent_inbound", condition=Q(urgent=True)),
            models.Index(fields=["id"], name="inbound_to_obey", condition=Q(urgent=True, obeyed=False)),
        ]


class Lane(models.Model):
    """The lease of one of the buckets of sender numbers (docs/operations.md). Rows are made by the migration."""

    lane = models.PositiveSmallIntegerField(primary_key=True)
    holder = models.UUIDField(null=True)
    expires_at = models.DateTimeField(null=True)
    fence = models.BigIntegerField(default=0, help_text="grows by one with each new holder")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(lane__lt=LANES), name="lease_lane_in_range")]


class DispatchGuard(models.Model):
    """One row: which database server this is, and why dispatch stands still after a restore (empty: it does not)."""

    system_identifier = models.BigIntegerField()
    timeline = models.IntegerField()
    cleared_at = models.DateTimeField(help_text="what the carriers list up to then has been read")
    locked_for = models.CharField(max_length=200, blank=True)
    locked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_dispatch_guard")]


class CarrierOutage(models.Model):
    """A carrier account that takes nothing at the moment, as the dispatchers last saw it."""

    carrier_account_id = models.BigIntegerField(primary_key=True)
    since = models.DateTimeField()
    answer = models.CharField(max_length=14, help_text="what hand-overs come to: a word of gateways.base.Answer")
    seen_at = models.DateTimeField()


class Dispatcher(models.Model):
    """A dispatcher that is alive: how many share the lanes."""

    holder = models.UUIDField(primary_key=True)
    seen_at = models.DateTimeField()
