"""Reads of files and jobs."""

from pathlib import Path

from django.conf import settings

from content.models import StoredFile


def path_of(file: StoredFile) -> Path:
    """Where the bytes lie on this machine."""
    return Path(settings.MEDIA_ROOT) / str(file.organization_id) / file.sha256
