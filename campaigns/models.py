from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from audiences.queries import Audience
from campaigns.rules.states import CampaignState, OutreachState
from common.tenancy import TenantModel, tenant_key
from consent.models import Program
from senders.models import SenderNumber


class Campaign(TenantModel):
    """One text under one program from one number, with sending hours; has one or more outreaches.

    A draft may lack name, program, number and text: it is saved as it is typed.
    """

    name = models.CharField(max_length=120, blank=True)
    description = models.TextField(blank=True)
    program = models.ForeignKey(
        "consent.Program", on_delete=models.PROTECT, related_name="+", db_constraint=False, null=True
    )
    sender_number = models.ForeignKey(
        "senders.SenderNumber", on_delete=models.PROTECT, related_name="+", db_constraint=False, null=True
    )
    body = models.TextField(blank=True)
    opt_out_word = models.CharField(max_length=40, blank=True, help_text="empty: the organization's")
    language = models.CharField(max_length=12, default="en")
    template_version = models.ForeignKey(
        "content.TemplateVersion", on_delete=models.PROTECT, related_name="+", db_constraint=False, null=True
    )
    media_ids = ArrayField(models.BigIntegerField(), default=list, help_text="pictures, in order")
    upload_ids = ArrayField(
        models.BigIntegerField(), default=list, db_default=[], help_text="imports of files that it is for, kept apart"
    )
    plain_characters = models.BooleanField(default=True, help_text="curly quotes and the like are written plainly")
    hourly_limit = models.PositiveIntegerField(
        null=True, help_text="messages an hour, so that the inbox can be answered; empty: as the number allows"
    )
    sending_hours = models.JSONField(help_text="seven rows, Monday first: [opens, closes] in minutes, or null")
    state = models.CharField(max_length=9, choices=[(s.value, s.value) for s in CampaignState], default="DRAFT")
    created_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True)
    # Of the draft: the form that began it (sent twice it is one draft), and which writing of it this is.
    form_id = models.UUIDField(null=True)
    revision = models.PositiveIntegerField(default=0)
    saved_at = models.DateTimeField(null=True)
    saved_by = models.CharField(max_length=160, blank=True)
    saved_in = models.UUIDField(null=True, help_text="the view of the composer that saved it")
    step = models.PositiveIntegerField(default=0, help_text="how many changes that view had seen")

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["organization", "form_id"], name="draft_of_one_form"),
            models.CheckConstraint(
                condition=Q(state="DRAFT")
                | (Q(program__isnull=False, sender_number__isnull=False) & ~Q(name="") & ~Q(body="")),
                name="only_drafts_are_incomplete",
            ),
        ]
        indexes = [models.Index(fields=["organization", "-id"], name="campaigns_newest_first")]

    def __str__(self) -> str:
        return self.name or "Untitled campaign"

    @property
    def sent_by_name(self) -> bool:
        """Whether people see a company's name in place of a number."""
        return self.sender_number is not None and self.sender_number.is_name

    @property
    def whole_program(self) -> Program:
        """The program of a campaign that is whole. Raises ValueError for a draft without one."""
        if self.program is None:
            raise ValueError(f"campaign {self.pk} has no program yet")
        return self.program

    @property
    def whole_number(self) -> SenderNumber:
        """The number of a campaign that is whole. Raises ValueError for a draft without one."""
        if self.sender_number is None:
            raise ValueError(f"campaign {self.pk} has no number yet")
        return self.sender_number


class Outreach(TenantModel):
    """One audience of a campaign with its own start and end, quote and reservation."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="outreaches", db_constraint=False)
    everyone = models.BooleanField(default=True)
    list_ids = ArrayField(models.BigIntegerField(), default=list)
    group_ids = ArrayField(models.BigIntegerField(), default=list, db_default=[], help_text="target groups")
    import_id = models.BigIntegerField(null=True, help_text="the people of a file who became no contacts")
    phone_label = models.CharField(max_length=6, default="MOBILE")
    starts_at = models.DateTimeField(null=True, help_text="empty: as soon as it is launched")
    ends_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=17, choices=[(s.value, s.value) for s in OutreachState], default="DRAFT")
    close_reason = models.CharField(max_length=20, blank=True, help_text="completed, canceled, ended")
    # The quote: what launching it will reserve, and what it was computed from.
    quote_id = models.UUIDField(null=True)
    quoted_at = models.DateTimeField(null=True)
    recipients = models.BigIntegerField(default=0)
    segments = models.BigIntegerField(default=0)
    credits = models.BigIntegerField(default=0)
    excluded = models.BigIntegerField(default=0)
    plan = models.JSONField(default=dict, help_text="of the quote: bucket of hours to its people and segments")
    prices = models.JSONField(default=dict, help_text="of the quote: `GSM-7 2` to people and their credits")
    plain_saves = models.JSONField(default=dict, help_text="of the quote: segments and credits of plain characters")
    examples = models.JSONField(
        default=dict, help_text="of the quote: the contacts with the longest and the dearest text"
    )
    fingerprint = models.BigIntegerField(default=0, help_text="of the quote: what every text was made of")
    crowded = models.BigIntegerField(
        default=0, help_text="of the quote: recipients with two promotional campaigns this month already"
    )
    asked_by_id = models.BigIntegerField(null=True, help_text="who asked for a second person's approval")
    asked_at = models.DateTimeField(null=True)
    approved_by = models.CharField(max_length=160, blank=True)
    ceiling = models.BigIntegerField(null=True, help_text="credits above which a scheduled start does not happen")
    reservation_id = models.BigIntegerField(null=True)
    launched_at = models.DateTimeField(null=True)
    written_at = models.DateTimeField(null=True, help_text="when every message was in its stream")
    settled_at = models.DateTimeField(null=True, help_text="when its reservation was closed")

    class Meta(TenantModel.Meta):
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_at=None) | Q(ends_at=None) | Q(starts_at__lt=F("ends_at")), name="starts_before_end"
            ),
        ]
        indexes = [
            models.Index(fields=["id"], name="outreach_under_way", condition=Q(quote_id__isnull=False, settled_at=None))
        ]

    @property
    def audience(self) -> Audience:
        """Whom it is for."""
        return Audience(self.everyone, tuple(self.list_ids), tuple(self.group_ids), self.import_id, self.phone_label)

    @property
    def source(self) -> str:
        """The name of its streams and reservation."""
        return f"outreach:{self.id}"


class QuoteChunk(TenantModel):
    """Up to a thousand recipients of a quote, frozen: whom, at what price, with which words (their digest)."""

    organization = tenant_key(enforced=False)
    outreach = models.ForeignKey(Outreach, on_delete=models.CASCADE, related_name="chunks", db_constraint=False)
    quote_id = models.UUIDField()
    sequence = models.PositiveIntegerField()
    contact_ids = ArrayField(models.BigIntegerField())
    phones = ArrayField(models.CharField(max_length=16))
    credits = ArrayField(models.IntegerField())
    segments = ArrayField(models.IntegerField())
    digests = ArrayField(models.BigIntegerField())
    written_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["outreach", "quote_id", "sequence"], name="chunk_once")]
