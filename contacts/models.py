from django.contrib.postgres.fields import ArrayField
from django.db import models

from common.tenancy import TenantModel, tenant_key
from contacts.rules.fields import KIND_LABELS, FieldKind


class Contact(TenantModel):
    """A person. What tags can name is a column; an organization's own fields live in `custom`."""

    organization = tenant_key(enforced=False)
    first_name = models.CharField(max_length=120, blank=True)
    last_name = models.CharField(max_length=120, blank=True)
    email = models.CharField(max_length=254, blank=True)
    company = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=12, blank=True)
    city = models.CharField(max_length=120, blank=True)
    region = models.CharField(max_length=80, blank=True)
    postcode = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=2, blank=True)
    time_zone = models.CharField(max_length=64, blank=True, help_text="IANA name, where the person's own is known")
    custom = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        indexes = [models.Index(fields=["organization", "id"], name="contacts_in_order")]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}".strip() or self.company or f"contact {self.pk}"


class CustomField(TenantModel):
    """A field of the organization's own: what `Contact.custom` holds under its key, and the tag `custom.key`."""

    key = models.CharField(max_length=40)
    name = models.CharField(max_length=80)
    kind = models.CharField(
        max_length=6,
        choices=[(kind.value, label) for kind, label in KIND_LABELS.items()],
        default=FieldKind.TEXT.value,
        db_default=FieldKind.TEXT.value,
    )
    choices = models.JSONField(default=list, db_default=[], help_text="of a field of that kind: what it may hold")
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["organization", "key"], name="custom_field_once")]

    def __str__(self) -> str:
        return self.name


class PhoneLabel(models.TextChoices):
    MOBILE = "MOBILE", "Mobile"
    WORK = "WORK", "Work"
    OTHER = "OTHER", "Other"


class ContactPhone(TenantModel):
    """A phone of a person. An E.164 belongs to one contact of an organization."""

    organization = tenant_key(enforced=False)
    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, related_name="phones", db_constraint=False, db_index=False
    )
    label = models.CharField(max_length=6, choices=PhoneLabel.choices, default=PhoneLabel.MOBILE)
    phone = models.CharField(max_length=16)
    textable = models.BooleanField(default=True, help_text="false: the carrier said landline or dead")

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["organization", "phone"], name="phone_of_one_contact")]
        # Over both: of an organization that the planner knows nothing of yet (a fresh import in a large table) it
        # expects one row, and would look through all its phones for each person.
        indexes = [models.Index(fields=["organization", "contact"], name="phones_of_contact")]


class ContactList(TenantModel):
    """Contacts chosen by hand or import."""

    name = models.CharField(max_length=120)
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="list_named_once")]

    def __str__(self) -> str:
        return self.name


class ListMember(TenantModel):
    """A contact on a list."""

    organization = tenant_key(enforced=False)
    contact_list = models.ForeignKey(
        ContactList, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_constraint=False)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["contact_list", "contact"], name="on_list_once")]


class Existing(models.TextChoices):
    """What an import does with people who are contacts already."""

    UPDATE = "UPDATE", "Take over what the file says"
    FILL = "FILL", "Fill in only what is empty"
    KEEP = "KEEP", "Leave them as they are"
    APART = "APART", "Nobody becomes a contact: only for a campaign"


class Import(TenantModel):
    """A file of contacts with its consent statement, and what became of its rows.

    Or a file of a former provider (F10): of those who said stop, or of who agreed when and how. Nobody becomes a
    contact by those; `created` is how many were stopped anew, or are noted as agreed.
    """

    class Kind(models.TextChoices):
        PEOPLE = "PEOPLE", "People: contacts and how they agreed"
        OPT_OUTS = "OPT_OUTS", "Opt-outs: who told your former provider to stop"
        CONSENTS = "CONSENTS", "Consents: who agreed, when and how, row by row"

    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.PEOPLE, db_default="PEOPLE")
    file = models.ForeignKey("content.StoredFile", on_delete=models.PROTECT, related_name="+", db_constraint=False)
    statement = models.ForeignKey(
        "consent.ImportStatement", on_delete=models.PROTECT, related_name="+", null=True, db_constraint=False
    )
    stopped_by = models.DateTimeField(null=True, help_text="of opt-outs: when they had all said stop, at the latest")
    job = models.ForeignKey("content.Job", on_delete=models.PROTECT, related_name="+", db_constraint=False)
    contact_list = models.ForeignKey(
        ContactList, on_delete=models.PROTECT, related_name="+", null=True, db_constraint=False
    )
    header = models.JSONField(
        default=list, db_default=[], help_text="the headings; with the mapping they teach the next import"
    )
    mapping = models.JSONField(help_text="column number to field")
    existing = models.CharField(max_length=6, choices=Existing.choices, default=Existing.UPDATE, db_default="UPDATE")
    encoding = models.CharField(max_length=40)
    delimiter = models.CharField(max_length=1)
    default_country = models.CharField(max_length=2)
    rows = models.BigIntegerField(default=0)
    created = models.BigIntegerField(default=0)
    updated = models.BigIntegerField(default=0)
    unchanged = models.BigIntegerField(default=0, db_default=0, help_text="known, and nothing new about them")
    duplicates = models.BigIntegerField(default=0)
    invalid = models.BigIntegerField(default=0)
    faults = models.JSONField(default=dict, db_default={}, help_text="of the invalid ones: how many for each reason")
    opted_out = models.BigIntegerField(default=0, help_text="kept so: they said stop")
    withdrawn = models.BigIntegerField(default=0, db_default=0, help_text="kept so: they took this consent back")
    stopped = models.BigIntegerField(default=0, db_default=0, help_text="by a column of the file that says so")
    error_file = models.ForeignKey(
        "content.StoredFile", on_delete=models.PROTECT, related_name="+", null=True, db_constraint=False
    )
    cancel_asked_at = models.DateTimeField(null=True)
    undo_job = models.ForeignKey(
        "content.Job", on_delete=models.PROTECT, related_name="+", null=True, db_constraint=False
    )
    removed = models.BigIntegerField(default=0, db_default=0, help_text="contacts that the undoing took away again")
    created_at = models.DateTimeField()


class ImportedContact(TenantModel):
    """A phone that an import brought, and whose it is: how a later row is known as a duplicate, and what is undone."""

    pk = models.CompositePrimaryKey("import_id", "phone")
    organization = tenant_key(enforced=False)
    import_id = models.BigIntegerField()
    phone = models.CharField(max_length=16)
    contact_id = models.BigIntegerField()
    created = models.BooleanField()

    class Meta(TenantModel.Meta):
        indexes = [models.Index(fields=["organization", "contact_id"], name="imports_of_contact")]


class ImportedPerson(TenantModel):
    """A row of a file whose people became no contacts: who a campaign is for, and what its text says of each.

    Where a contact's id stands for a person (quotes, messages, exclusions) the negative id of this row stands for one
    of these.
    """

    organization = tenant_key(enforced=False)
    import_id = models.BigIntegerField()
    phone = models.CharField(max_length=16)
    first_name = models.CharField(max_length=120)
    last_name = models.CharField(max_length=120)
    email = models.CharField(max_length=254)
    company = models.CharField(max_length=200)
    language = models.CharField(max_length=12)
    city = models.CharField(max_length=120)
    region = models.CharField(max_length=80)
    postcode = models.CharField(max_length=20)
    country = models.CharField(max_length=2)
    time_zone = models.CharField(max_length=64)
    custom = models.JSONField()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["import_id", "phone"], name="imported_apart_once")]
        indexes = [
            models.Index(fields=["import_id", "id"], name="imported_apart_in_order"),
            models.Index(fields=["organization", "phone"], name="imported_apart_of_phone"),
        ]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}".strip() or self.company or self.phone


class ContactSearch(TenantModel):
    """What a person is found by: names, company, e-mail, phones, in small letters without accents.

    Filled behind the contact (see Unindexed): its index takes longer to write than the contact itself. Indexed by
    trigrams within the organization (migration 0005).
    """

    organization = tenant_key(enforced=False)
    contact_id = models.BigIntegerField(primary_key=True)
    words = models.TextField()

    class Meta(TenantModel.Meta):
        indexes = [
            models.Index(fields=["organization", "contact_id"], name="search_in_order"),
            # Everybody shuffled: the first of them are a sample (audiences.queries.groups).
            models.Index("organization", models.Func("contact_id", function="hashint8"), name="contacts_shuffled"),
        ]


class Unindexed(TenantModel):
    """Contacts that are new or changed, and not yet found by it: one row for whatever was written together."""

    organization = tenant_key(enforced=False)
    contact_ids = ArrayField(models.BigIntegerField())


class Export(TenantModel):
    """Contacts as a file to take away: everybody, or those of a list or a search."""

    class Format(models.TextChoices):
        CSV = "CSV", "CSV"
        XLSX = "XLSX", "Excel (XLSX)"

    job = models.ForeignKey("content.Job", on_delete=models.PROTECT, related_name="+", db_constraint=False)
    format = models.CharField(max_length=4, choices=Format.choices)
    search = models.CharField(max_length=200, blank=True)
    contact_list = models.ForeignKey(
        ContactList, on_delete=models.PROTECT, related_name="+", null=True, db_constraint=False
    )
    file = models.ForeignKey(
        "content.StoredFile", on_delete=models.PROTECT, related_name="+", null=True, db_constraint=False
    )
    people = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
