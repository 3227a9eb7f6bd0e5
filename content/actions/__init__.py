"""Writes of files, jobs and templates."""

from content.actions.files import EvidenceRefused, PictureRefused, store_evidence, store_file, store_picture
from content.actions.jobs import fail_job, finish_job, report_progress, start_job
from content.actions.templates import (
    TemplateContent,
    TemplateRefused,
    create_template,
    delete_template,
    note_use,
    save_template,
)

__all__ = [
    "EvidenceRefused",
    "PictureRefused",
    "TemplateContent",
    "TemplateRefused",
    "create_template",
    "delete_template",
    "fail_job",
    "finish_job",
    "note_use",
    "report_progress",
    "save_template",
    "start_job",
    "store_evidence",
    "store_file",
    "store_picture",
]
