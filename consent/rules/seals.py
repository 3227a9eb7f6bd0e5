"""Digests and the chain that seals consent records (domain.md, Consent)."""

import hashlib
import json
from collections.abc import Iterable, Mapping

EMPTY = "0" * 64


def digest_of(fields: Mapping[str, object]) -> str:
    """SHA-256 (hex) of a record's fields as canonical JSON; dates are ISO strings already."""
    return _sha256(json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode())


def merkle_root(digests: Iterable[str]) -> str:
    """The root over the digests in their order; an odd one out is carried up as it is. None: all zeros."""
    level = [bytes.fromhex(digest) for digest in digests]
    if not level:
        return EMPTY
    while len(level) > 1:
        pairs = [level[at : at + 2] for at in range(0, len(level), 2)]
        # The prefix keeps an inner node from being passed off as a leaf (RFC 9162, 2.1.1).
        level = [hashlib.sha256(b"\x01" + b"".join(pair)).digest() if len(pair) == 2 else pair[0] for pair in pairs]
    return level[0].hex()


def chain_hash(former: str, sequence: int, digest: str) -> str:
    """The hash of link `sequence` (from 1) after the link whose hash is `former` (EMPTY before the first)."""
    return _sha256(f"{former}:{sequence}:{digest}".encode())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
