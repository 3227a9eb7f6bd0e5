"""What a text costs in credits (product.md A5, E5; domain.md, Billing)."""

from enum import StrEnum


class Basis(StrEnum):
    """What a plan counts: texts (A5) or the segments that the carrier bills (D6, E5)."""

    MESSAGE = "MESSAGE"
    SEGMENT = "SEGMENT"


MEDIA_CREDITS = 2  # a message with media: 1 + 1 on either basis


def credits_for(basis: Basis, *, segments: int, media: bool = False) -> int:
    """Credits of one text to one person. `segments` is at least 1."""
    if media:
        return MEDIA_CREDITS
    return segments if basis is Basis.SEGMENT else 1
