from django.db import models

from common.tenancy import TenantModel


class FileKind(models.TextChoices):
    EVIDENCE = "EVIDENCE", "Evidence"
    IMPORT = "IMPORT", "Import"
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


class Job(TenantModel):
    """Progress of long work, for whoever waits: it survives the closed tab and the killed worker."""

    class State(models.TextChoices):
        WAITING = "WAITING", "Waiting"
        RUNNING = "RUNNING", "Running"
        DONE = "DONE", "Done"
        FAILED = "FAILED", "Failed"

    kind = models.CharField(max_length=40)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(null=True)
    message = models.TextField(blank=True, help_text="for the person who waits: what went wrong and what to do next")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        indexes = [models.Index(fields=["organization", "-id"], name="jobs_newest_first")]
