"""Digests and the chain that seals consent records (domain.md, Consent)."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

EMPTY = "0" * 64
LEAF_BYTES = 40
"""Of one record in a batch: its id (8, big-endian) and its SHA-256 (32)."""
BATCH_LEAVES = 1024
"""Records of a batch: a power of two, so that the tree over the roots of batches is the tree over all records."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link of the chain as it is exported; `of` says what it covers, `record_id` is set where that is one record.

    `sealed_at` is an instant in ISO 8601.
    """

    sequence: int
    of: str
    digest: str
    chain_hash: str
    sealed_at: str
    record_id: int | None = None


def digest_of(fields: Mapping[str, object]) -> str:
    """SHA-256 (hex) of a record's fields as canonical JSON; dates are ISO strings already."""
    return _sha256(json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode())


class MerkleTree:
    """A Merkle tree over digests in their order that remembers one node a level, however many digests come."""

    def __init__(self, digests: Iterable[str] = ()) -> None:
        self._waiting: list[bytes | None] = []
        for digest in digests:
            self.add(digest)

    def add(self, digest: str) -> None:
        """Append a digest (hex)."""
        node = bytes.fromhex(digest)
        for level, left in enumerate(self._waiting):
            if left is None:
                self._waiting[level] = node
                return
            node, self._waiting[level] = _node(left, node), None
        self._waiting.append(node)

    def root(self) -> str:
        """The root over what was added (hex); an odd one out is carried up as it is. Nothing: all zeros."""
        node: bytes | None = None
        for left in self._waiting:
            if left is not None:
                node = left if node is None else _node(left, node)
        return EMPTY if node is None else node.hex()


def merkle_root(digests: Iterable[str]) -> str:
    """The root over the digests in their order; see MerkleTree."""
    return MerkleTree(digests).root()


def statement_root(statement: str, records: str) -> str:
    """The digest of an import's link: over the digest of its statement and the root over its records (hex)."""
    return _node(bytes.fromhex(statement), bytes.fromhex(records)).hex()


def merkle_path(digests: Iterable[str], index: int) -> list[tuple[str, str]]:
    """What leads from the digest at `index` to the root: pairs of side ("left" or "right") and digest (hex)."""
    level = [bytes.fromhex(digest) for digest in digests]
    path = []
    while len(level) > 1:
        beside = index ^ 1
        if beside < len(level):
            path.append(("left" if beside < index else "right", level[beside].hex()))
        pairs = [level[at : at + 2] for at in range(0, len(level), 2)]
        level = [_node(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
        index //= 2
    return path


def follow_path(digest: str, path: Iterable[tuple[str, str]]) -> str:
    """The root (hex) that a path of `merkle_path` leads to from a digest."""
    node = bytes.fromhex(digest)
    for side, beside in path:
        other = bytes.fromhex(beside)
        node = _node(other, node) if side == "left" else _node(node, other)
    return node.hex()


def leaf(record_id: int, digest: str) -> bytes:
    """A record of a batch as it is kept; see LEAF_BYTES."""
    return record_id.to_bytes(8, "big") + bytes.fromhex(digest)


def leaves_in(packed: bytes) -> Iterator[tuple[int, str]]:
    """The records of a batch: id and digest (hex)."""
    for at in range(0, len(packed), LEAF_BYTES):
        yield int.from_bytes(packed[at : at + 8], "big"), packed[at + 8 : at + LEAF_BYTES].hex()


def chain_hash(former: str, sequence: int, digest: str) -> str:
    """The hash of link `sequence` (from 1) after the link whose hash is `former` (EMPTY before the first)."""
    return _sha256(f"{former}:{sequence}:{digest}".encode())


def _node(left: bytes, right: bytes) -> bytes:
    # The prefix keeps an inner node from being passed off as a leaf (RFC 9162, 2.1.1).
    return hashlib.sha256(b"\x01" + left + right).digest()


def digest_of_words(words: str) -> str:
    """SHA-256 (hex) of words as they were shown."""
    return _sha256(words.encode())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
