"""Pictures on their way to the carrier: addresses that open one picture, to whoever was given them, for a while."""

import time
from functools import lru_cache

from django.conf import settings
from django.core import signing

from common.tenancy import across_organizations
from content.models import FileKind, StoredFile

SALT = "carrier-media"
LIFETIME_SECONDS = 7 * 24 * 3600
"""A carrier fetches within minutes; one that queues has a validity of hours."""


def media_urls(organization_id: int, file_ids: tuple[int, ...]) -> tuple[str, ...]:
    """Where the carrier gets the pictures of a text; the same for an hour, so that a million texts sign once."""
    return _signed(organization_id, file_ids, int(time.time() // 3600))


@lru_cache(maxsize=512)
def _signed(organization_id: int, file_ids: tuple[int, ...], hour: int) -> tuple[str, ...]:
    base = settings.SITE_URL.rstrip("/")
    return tuple(f"{base}/media/{signing.dumps([organization_id, file_id], salt=SALT)}" for file_id in file_ids)


def picture_behind(token: str) -> StoredFile | None:
    """The picture of an address; None: it is not ours, or too old."""
    try:
        organization_id, file_id = signing.loads(token, salt=SALT, max_age=LIFETIME_SECONDS)
    except (signing.BadSignature, ValueError):
        return None
    with across_organizations(because="the carrier fetches a picture by a signed address"):
        return StoredFile.objects.filter(organization_id=organization_id, id=file_id, kind=FileKind.MEDIA).first()
