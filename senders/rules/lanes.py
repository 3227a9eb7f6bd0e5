"""Lanes: sender numbers hashed into 256 buckets, which dispatchers lease (docs/architecture.md)."""

import zlib

LANES = 256


def lane_of(sender: str) -> int:
    """The lane of an E.164 number or alphanumeric name; the same on every machine and in every version."""
    return zlib.crc32(sender.encode()) % LANES
