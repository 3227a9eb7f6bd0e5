"""Files in and out."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile

from django.conf import settings
from django.core.files import File
from django.db import transaction

from common.actor import Actor
from common.errors import DomainError
from common.tenancy import current_organization_id
from content.models import FileKind, StoredFile
from content.queries import path_of
from content.rules.filetypes import EVIDENCE_BYTES, evidence_type, picture_type
from content.rules.pictures import PICTURE_BYTES, UnreadablePicture, redraw


class EvidenceRefused(DomainError):
    code = "evidence_refused"


def store_file(
    *, kind: FileKind, name: str, content_type: str, chunks: Iterable[bytes], actor: Actor, now: datetime
) -> StoredFile:
    """Keep bytes for the organization in scope; the same bytes twice share one place on disk."""
    folder = Path(settings.MEDIA_ROOT) / str(current_organization_id())
    folder.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with NamedTemporaryFile(dir=folder, delete=False) as target:
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
            target.write(chunk)
    os.replace(target.name, folder / digest.hexdigest())
    stored: StoredFile = StoredFile.objects.create(
        organization_id=current_organization_id(),
        kind=kind,
        name=Path(name).name[:200],
        content_type=content_type,
        sha256=digest.hexdigest(),
        size=size,
        uploaded_by=actor.label,
        created_at=now,
    )
    return stored


class PictureRefused(DomainError):
    code = "picture_refused"


def store_picture(upload: "File[bytes]", *, actor: Actor, now: datetime) -> StoredFile:
    """Keep a picture that is sent with texts, drawn anew. Raises PictureRefused with what to do."""
    name = upload.name or "picture"
    if (upload.size or 0) > PICTURE_BYTES:
        raise PictureRefused(f"“{name}” is larger than 5 MB. Make it smaller and add it again.")
    content = upload.read()
    content_type = picture_type(content[:16])
    if content_type is None:
        raise PictureRefused(
            f"“{name}” is no JPEG, PNG or GIF, whatever its name says. Save it as one and add it again."
        )
    try:
        picture = redraw(content, content_type=content_type)
    except UnreadablePicture as error:
        raise PictureRefused(f"“{name}” cannot be sent. {error}") from error
    return store_file(
        kind=FileKind.MEDIA, name=name, content_type=content_type, chunks=[picture.content], actor=actor, now=now
    )


def store_evidence(upload: "File[bytes]", *, actor: Actor, now: datetime) -> StoredFile:
    """Keep a picture, document or recording that proves something. Raises EvidenceRefused."""
    content_type = evidence_type(upload.read(16))
    upload.seek(0)
    if content_type is None:
        raise EvidenceRefused(
            f"“{upload.name}” is no picture, PDF or recording. Upload a PNG, JPEG, WebP, HEIC, PDF, MP3 or WAV file."
        )
    if (upload.size or 0) > EVIDENCE_BYTES:
        raise EvidenceRefused(f"“{upload.name}” is larger than 10 MB. Make it smaller and upload it again.")
    return store_file(
        kind=FileKind.EVIDENCE,
        name=upload.name or "evidence",
        content_type=content_type,
        chunks=upload.chunks(),
        actor=actor,
        now=now,
    )


def forget_files(file_ids: Sequence[int]) -> None:
    """Delete files of the organization in scope for good; bytes that another file shares stay.

    Whoever calls this has made sure that nothing names them any more.
    """
    gone = list(StoredFile.objects.filter(id__in=file_ids))
    StoredFile.objects.filter(id__in=[file.id for file in gone]).delete()
    shared = set(StoredFile.objects.filter(sha256__in=[file.sha256 for file in gone]).values_list("sha256", flat=True))
    for path in {path_of(file) for file in gone if file.sha256 not in shared}:
        # A crash in between leaves bytes that nobody names, never a name without bytes.
        transaction.on_commit(partial(path.unlink, missing_ok=True))
