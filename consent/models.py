from collections.abc import Iterable

from django.db import models
from django.db.models import Q

from common.sql import CurrentTransaction
from common.tenancy import TenantModel, tenant_key
from consent.rules.disclosure import Offer, Replies, offered_replies
from consent.rules.keywords import readings as both_readings
from consent.rules.media import Level, Medium
from consent.rules.projection import CONVERSATIONAL


def default_positive_words() -> list[str]:
    """What confirms a double opt-in unless a program says otherwise (B2)."""
    return ["y", "yes", "ok", "begin"]


class Program(TenantModel):
    """A kind of messages that a person can agree to. Consent is given to a program."""

    name = models.CharField(max_length=120)
    level = models.CharField(max_length=14, choices=[(level.value, level.value.capitalize()) for level in Level])
    brand = models.CharField(max_length=120, help_text="the name that people know the sender by")
    opt_in_text = models.TextField()
    opt_in_version = models.PositiveIntegerField(default=1)
    use_case = models.CharField(max_length=160, db_default="", blank=True, help_text="what the texts are about")
    frequency = models.CharField(max_length=80, db_default="", blank=True, help_text="such as “up to 4 texts a month”")
    confirmation_text = models.CharField(max_length=320, db_default="", blank=True, help_text="empty: the offered one")
    help_text = models.CharField(max_length=320, blank=True)
    opt_out_text = models.CharField(max_length=320, db_default="", blank=True, help_text="empty: the offered one")
    terms_url = models.CharField(max_length=300, db_default="", blank=True)
    privacy_url = models.CharField(max_length=300, db_default="", blank=True)
    links_checked_at = models.DateTimeField(null=True)
    link_findings = models.JSONField(default=list, db_default=[], help_text="what is wrong with the two pages")
    double_opt_in = models.BooleanField(default=False, db_default=False)
    positive_words = models.JSONField(
        default=default_positive_words, db_default=["y", "yes", "ok", "begin"], help_text="normalised"
    )
    monthly_cap = models.PositiveSmallIntegerField(null=True, help_text="texts for each person in 30 days; empty: any")
    form_key = models.CharField(max_length=32, null=True, unique=True, help_text="of its public page; empty: none")
    form_sender_number_id = models.BigIntegerField(null=True, help_text="that the public page's requests come from")
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="program_named_once"),
            models.CheckConstraint(
                condition=Q(level__in=[Level.INFORMATIONAL, Level.PROMOTIONAL]), name="program_level_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def offer(self) -> Offer:
        """What its texts must say."""
        level = Level(self.level)
        return Offer(self.brand, self.use_case, self.frequency, level, self.terms_url, self.privacy_url)

    def replies(self) -> Replies:
        """What it answers: its own words, else the offered ones."""
        offered = offered_replies(self.offer(), name=self.name)
        return Replies(
            self.confirmation_text or offered.confirmation,
            self.help_text or offered.help,
            self.opt_out_text or offered.opt_out,
        )

    @property
    def confirming_word(self) -> str:
        """The word that is named where somebody is to confirm that they want it."""
        words: list[str] = self.positive_words or default_positive_words()
        return "yes" if "yes" in words else words[0]


class ProgramVersion(TenantModel):
    """An opt-in text as it was once shown; append-only, since records point at it."""

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="versions", db_constraint=False)
    version = models.PositiveIntegerField()
    opt_in_text = models.TextField()
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["program", "version"], name="program_version_once")]


class ProgramKeyword(TenantModel):
    """A word that joins a program when it is texted to a number. Stored normalised."""

    program = models.ForeignKey(Program, on_delete=models.CASCADE, related_name="keywords", db_constraint=False)
    sender_number_id = models.BigIntegerField()
    word = models.CharField(max_length=40)
    posted_at = models.CharField(max_length=300, blank=True, help_text="where people find it, in words")
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["sender_number_id", "word"], name="join_word_once")]


class OptInRequest(TenantModel):
    """Somebody asked for a program and is to confirm it by a text (double opt-in). Needs a recorded basis."""

    class State(models.TextChoices):
        WAITING = "WAITING", "Waiting for their answer"
        CONFIRMED = "CONFIRMED", "Confirmed"
        STOPPED = "STOPPED", "Said stop"
        EXPIRED = "EXPIRED", "Not answered in time"

    phone = models.CharField(max_length=16)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    program_version = models.PositiveIntegerField()
    sender_number_id = models.BigIntegerField()
    medium = models.CharField(max_length=14, help_text="how the person asked")
    basis = models.TextField(help_text="who asked for it, where and when, in words")
    asked_for_at = models.DateTimeField(help_text="when the person asked for it")
    source_url = models.TextField(null=True)
    ip_address = models.GenericIPAddressField(null=True)
    user_agent = models.TextField(null=True)
    identity = models.TextField(null=True)
    evidence_id = models.BigIntegerField(null=True)
    inbound_sid = models.CharField(max_length=64, null=True, help_text="the text with the keyword")
    message_id = models.BigIntegerField(null=True, help_text="our text that asks")
    state = models.CharField(max_length=9, choices=State.choices, default=State.WAITING)
    actor_label = models.CharField(max_length=160)
    created_at = models.DateTimeField()
    reminded_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.CheckConstraint(condition=~Q(basis=""), name="request_has_basis"),
            models.UniqueConstraint(
                fields=["organization", "phone", "program"], name="one_request_waits", condition=Q(state="WAITING")
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "phone", "program"], name="requests_of_phone"),
            models.Index(fields=["expires_at"], name="requests_that_wait", condition=Q(state="WAITING")),
        ]

    def is_confirmed_by(self, readings: Iterable[str]) -> bool:
        """Whether a text with these readings (consent.rules.keywords) is the yes that its program waits for."""
        return any(not set(both_readings(word)).isdisjoint(readings) for word in self.program.positive_words)


class PossibleOptOut(TenantModel):
    """A text that reads like a wish to stop without being a keyword: until a person has decided, nothing is sent."""

    class Verdict(models.TextChoices):
        STOPPED = "STOPPED", "They want to stop"
        WENT_ON = "WENT_ON", "They do not"

    phone = models.CharField(max_length=16)
    sender_number_id = models.BigIntegerField()
    inbound_sid = models.CharField(max_length=64)
    noted_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    verdict = models.CharField(max_length=7, choices=Verdict.choices, blank=True)
    resolved_by = models.CharField(max_length=160, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["organization", "phone"], name="paused_once", condition=Q(resolved_at=None))
        ]


class ImportStatement(TenantModel):
    """What the importing person states of the consent of a whole file. Sealed once the file is through."""

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    program_version = models.PositiveIntegerField()
    medium = models.CharField(
        max_length=14,
        choices=[(medium.value, medium.value) for medium in Medium],
        blank=True,
        help_text="empty: each record has its own",
    )
    agreed_at = models.DateTimeField(help_text="when the people agreed, at the latest")
    how = models.TextField(help_text="in the words of the person who imports")
    evidence = models.ForeignKey(
        "content.StoredFile", on_delete=models.PROTECT, related_name="+", null=True, db_constraint=False
    )
    words_sha256 = models.CharField(max_length=64, null=True, help_text="of the words that were agreed to")
    evidence_sha256 = models.CharField(max_length=64, null=True, help_text="of the file that proves it")
    actor_label = models.CharField(max_length=160)
    created_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True, help_text="its records count for nothing since")

    class Meta(TenantModel.Meta):
        constraints = [models.CheckConstraint(condition=~Q(how=""), name="statement_says_how")]


class Action(models.TextChoices):
    GRANT = "GRANT", "Agreed"
    WITHDRAW = "WITHDRAW", "Withdrew"
    STOP = "STOP", "Said stop"
    START = "START", "Came back"
    ERASE = "ERASE", "Emptied after the time of keeping"
    UNDO = "UNDO", "Import undone"


class ConsentRecord(TenantModel):
    """One immutable fact: this phone granted or withdrew consent, then, by this medium, with this evidence.

    STOP and START are of the whole organization. ERASE and UNDO are of no phone: `note` says which records were
    emptied, which import counts for nothing since.
    """

    organization = tenant_key(enforced=False)
    phone = models.CharField(max_length=16)
    program_id = models.BigIntegerField(default=CONVERSATIONAL, help_text="0: conversational")
    action = models.CharField(max_length=8, choices=Action.choices)
    occurred_at = models.DateTimeField()
    medium = models.CharField(max_length=14)
    program_version = models.PositiveIntegerField(null=True)
    import_statement_id = models.BigIntegerField(null=True)
    source_url = models.TextField(null=True)
    ip_address = models.GenericIPAddressField(null=True)
    user_agent = models.TextField(null=True)
    identity = models.TextField(null=True, help_text="name, user name or session id")
    department_id = models.BigIntegerField(null=True)
    evidence_id = models.BigIntegerField(null=True)
    inbound_sid = models.CharField(max_length=64, null=True, help_text="the carrier's id of the text that did it")
    note = models.TextField(null=True, help_text="the reason or the basis, in words")
    message_id = models.BigIntegerField(null=True, help_text="our text that asked, of a double opt-in")
    words_sha256 = models.CharField(max_length=64, null=True, help_text="of the words that were agreed to")
    evidence_sha256 = models.CharField(max_length=64, null=True, help_text="of the file that proves it")
    actor_label = models.CharField(max_length=160)
    recorded_at = models.DateTimeField()
    erased_by_id = models.BigIntegerField(null=True, help_text="the record that says why this one was emptied")
    # The sealer reads in this order and stops before the oldest open transaction: no late commit is passed by.
    transaction_id = models.BigIntegerField(db_default=CurrentTransaction())

    class Meta(TenantModel.Meta):
        indexes = [
            models.Index(fields=["organization", "phone", "id"], name="consent_of_phone"),
            models.Index(
                fields=["organization", "transaction_id", "id"],
                name="consent_to_seal",
                condition=Q(import_statement_id=None),
            ),
            models.Index(
                fields=["import_statement_id", "id"],
                name="consent_of_statement",
                condition=Q(import_statement_id__isnull=False),
            ),
        ]


class ConsentState(TenantModel):
    """What the records of one phone and program come to; recomputable."""

    pk = models.CompositePrimaryKey("organization_id", "phone", "program_id")
    organization = tenant_key(enforced=False)
    phone = models.CharField(max_length=16)
    program_id = models.BigIntegerField(default=CONVERSATIONAL)
    granted = models.BooleanField()
    changed_at = models.DateTimeField(help_text="of the record that decides")
    stopped = models.BooleanField(default=False, help_text="withdrawn by STOP: START brings it back")


class OptOut(TenantModel):
    """The whole organization must not text this phone. Rows stay for ever; a lifted one says when."""

    class Source(models.TextChoices):
        KEYWORD = "KEYWORD", "texted"
        CARRIER = "CARRIER", "told by the carrier"
        STAFF = "STAFF", "noted by staff"
        FILE = "FILE", "opt-out file"
        LINK = "LINK", "by the link in a text"

    phone = models.CharField(max_length=16)
    source = models.CharField(max_length=8, choices=Source.choices)
    detail = models.CharField(max_length=120, db_default="", help_text="what a file says of where they said it")
    opted_out_at = models.DateTimeField()
    said_again_at = models.DateTimeField(
        null=True, help_text="the newest stop after the first: no older START lifts it"
    )
    lifted_at = models.DateTimeField(null=True)
    inbound_sid = models.CharField(max_length=64, null=True, help_text="the text that said so")
    asked_at = models.DateTimeField(null=True, help_text="when we asked whether they meant one program alone")

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["organization", "phone"], name="opted_out_once")]


class StopWord(TenantModel):
    """A campaign's own word that stops, recognised on its number from then on (A7). Stored normalised."""

    sender_number_id = models.BigIntegerField()
    word = models.CharField(max_length=40)
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["sender_number_id", "word"], name="stop_word_once")]


class CarrierBlock(TenantModel):
    """The carrier refuses texts from this number to this phone; a fact beside the opt-out, not instead of it."""

    sender_number_id = models.BigIntegerField()
    phone = models.CharField(max_length=16)
    blocked_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["sender_number_id", "phone"], name="block_once")]


class CarrierDifference(TenantModel):
    """Something that the carrier knew of an opt-out and we did not, found by the nightly comparison."""

    phone = models.CharField(max_length=16)
    sender_number_id = models.BigIntegerField()
    words = models.CharField(max_length=200)
    found_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        indexes = [models.Index(fields=["organization", "-found_at"], name="differences_newest_first")]


class ConsentSeal(TenantModel):
    """A link of the organization's chain over one record, or over many by their Merkle root: an import's, or a run.

    A run is of records that were written one after another; `record_id` is then the last of them.
    """

    sequence = models.BigIntegerField()
    record_id = models.BigIntegerField(null=True)
    transaction_id = models.BigIntegerField(null=True, help_text="of the record: where the sealer goes on")
    import_statement_id = models.BigIntegerField(null=True)
    records = models.BigIntegerField(db_default=1, help_text="how many the link covers")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the record, or the Merkle root")
    chain_hash = models.CharField(max_length=64, help_text="SHA-256 over the former chain hash, sequence and digest")
    sealed_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["organization", "sequence"], name="seal_sequence_once"),
            models.UniqueConstraint(fields=["record_id"], name="record_sealed_once", condition=~Q(record_id=None)),
            models.UniqueConstraint(
                fields=["import_statement_id"], name="statement_sealed_once", condition=~Q(import_statement_id=None)
            ),
            models.CheckConstraint(condition=Q(record_id=None) ^ Q(import_statement_id=None), name="seal_of_one_thing"),
        ]


class SealedBatch(TenantModel):
    """The digests of records that are sealed together, so that one that was changed can be named; append-only."""

    import_statement_id = models.BigIntegerField(null=True)
    run_end_id = models.BigIntegerField(null=True, help_text="the last record of a run")
    position = models.PositiveIntegerField(default=0, help_text="of the batch in its link")
    last_record_id = models.BigIntegerField(help_text="the largest of their ids")
    leaves = models.BinaryField(help_text="rules.seals.leaves_in")
    root = models.CharField(max_length=64, help_text="Merkle root over the leaves")

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["import_statement_id", "position"],
                name="batch_of_statement_once",
                condition=~Q(import_statement_id=None),
            ),
            models.UniqueConstraint(fields=["run_end_id"], name="batch_of_run_once", condition=~Q(run_end_id=None)),
            models.CheckConstraint(
                condition=Q(run_end_id=None) ^ Q(import_statement_id=None), name="batch_of_one_link"
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "last_record_id"],
                name="runs_by_last_record",
                condition=Q(import_statement_id=None),
            )
        ]


class LedgerCheck(TenantModel):
    """When the chain was walked from its first link, and what was found."""

    checked_at = models.DateTimeField()
    links = models.BigIntegerField()
    records = models.BigIntegerField()
    exported = models.BigIntegerField(help_text="links that were held against what lies outside")
    findings = models.JSONField(default=list, help_text="in words, the first first; empty: unbroken")

    class Meta(TenantModel.Meta):
        indexes = [models.Index(fields=["organization", "-checked_at"], name="ledger_checks")]
