"""What a file is, by its first bytes: neither its name nor what the browser says is believed."""

EVIDENCE_BYTES = 10 * 1024 * 1024
"""The most that a piece of evidence may have (domain.md, Registration)."""

_SIGNATURES: tuple[tuple[bytes, int, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"),
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"GIF87a", 0, "image/gif"),
    (b"GIF89a", 0, "image/gif"),
    (b"WEBP", 8, "image/webp"),
    (b"ftypheic", 4, "image/heic"),
    (b"ftypmif1", 4, "image/heic"),
    (b"%PDF-", 0, "application/pdf"),
    (b"WAVE", 8, "audio/wav"),
    (b"ID3", 0, "audio/mpeg"),
    (b"\xff\xfb", 0, "audio/mpeg"),
)


_PICTURES = ("image/png", "image/jpeg", "image/gif")


def picture_type(head: bytes) -> str | None:
    """The media type of a picture that can be sent; None: it is something else."""
    found = _type_of(head)
    return found if found in _PICTURES else None


def evidence_type(head: bytes) -> str | None:
    """The media type of a picture, document or recording that can be evidence; None: it is something else."""
    found = _type_of(head)
    return None if found == "image/gif" else found


def _type_of(head: bytes) -> str | None:
    return next((name for magic, at, name in _SIGNATURES if head[at : at + len(magic)] == magic), None)
