"""The digest by which equal texts are known: in the quote, in the duplicate window, at the carrier."""

import hashlib


def digest_of(text: str) -> int:
    """64 bits of the rendered text as a signed integer, which is what a PostgreSQL bigint holds."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)
