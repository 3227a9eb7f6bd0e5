"""Writes of files, jobs and templates."""

from content.actions.files import (
    EvidenceRefused,
    PictureRefused,
    forget_files,
    store_evidence,
    store_file,
    store_picture,
)
from content.actions.jobs import begin_work, cancel_job, fail_job, finish_job, report_progress, revive_jobs, start_job
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
    "begin_work",
    "cancel_job",
    "create_template",
    "delete_template",
    "fail_job",
    "finish_job",
    "forget_files",
    "note_use",
    "report_progress",
    "revive_jobs",
    "save_template",
    "start_job",
    "store_evidence",
    "store_file",
    "store_picture",
]
