from django.db import models

from common.tenancy import TenantModel


class FileKind(models.TextChoices):
    EVIDENCE = "EVIDENCE", "Evidence"
    IMPORT = "IMPORT", "Import"
    MEDIA = "MEDIA", "Picture of a text"
    REPORT = "REPORT", "Report"


class StoredFile(TenantModel):
    """Bytes that came in or go out, kept under their SHA-256. The name is only ever shown, never used as a path."""

    kind = models.CharField(max_length=10, choices=FileKind.choices)
    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    uploaded_by = models.CharField(max_length=160)
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        indexes = [models.Index(fields=["organization", "sha256"], name="files_by_digest")]


class Template(TenantModel):
    """A text to use again, personal or shared. What it says is its newest version."""

    name = models.CharField(max_length=120)
    label = models.CharField(max_length=60, blank=True, help_text="what groups it with others")
    owner_id = models.BigIntegerField(null=True, help_text="the person whose own it is; empty: everybody's")
    default_language = models.CharField(max_length=12, default="en")
    uses = models.IntegerField(default=0)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, help_text="its versions stay: sent texts point at them")

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "name", "owner_id"],
                name="template_named_once",
                condition=models.Q(deleted_at=None),
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return self.name


class TemplateVersion(TenantModel):
    """What a template said from a moment on: a body for each language; append-only."""

    template = models.ForeignKey(Template, on_delete=models.PROTECT, related_name="versions", db_constraint=False)
    number = models.PositiveIntegerField()
    bodies = models.JSONField(help_text="language code to text")
    created_by = models.CharField(max_length=160)
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["template", "number"], name="template_version_once")]

    def body(self, language: str) -> str:
        """The text in a language, else in the template's default one."""
        bodies: dict[str, str] = self.bodies
        return bodies.get(language) or bodies.get(self.template.default_language) or next(iter(bodies.values()))


class Job(TenantModel):
    """Progress of long work, for whoever waits: it survives the closed tab and the killed worker."""

    class State(models.TextChoices):
        WAITING = "WAITING", "Waiting"
        RUNNING = "RUNNING", "Running"
        DONE = "DONE", "Done"
        FAILED = "FAILED", "Failed"
        CANCELED = "CANCELED", "Canceled"

    kind = models.CharField(max_length=40)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(null=True)
    message = models.TextField(blank=True, help_text="for the person who waits: what went wrong and what to do next")
    task = models.CharField(max_length=80, db_default="", help_text="does the work; started again where it died")
    arguments = models.JSONField(default=list, db_default=[])
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        indexes = [
            models.Index(fields=["organization", "-id"], name="jobs_newest_first"),
            models.Index(
                fields=["updated_at"], name="jobs_under_way", condition=models.Q(state__in=["WAITING", "RUNNING"])
            ),
        ]
