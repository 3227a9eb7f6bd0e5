"""The one clock of the product.

Business time is `now()`: UTC, shifted by the setting CLOCK_OFFSET, so that real processes can live in another hour.
Deadlines inside one machine use `boot_seconds()`, which no offset and no suspend of the process can turn back.
"""

import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from django.conf import settings

_FILE_CHECK_SECONDS = 0.2


def now() -> datetime:
    """The present instant, UTC, shifted by the setting CLOCK_OFFSET."""
    return datetime.now(UTC) + timedelta(seconds=_offset_seconds(settings.CLOCK_OFFSET))


def boot_seconds() -> float:
    """Seconds since the machine started, suspensions included: for deadlines, never for dates."""
    return time.clock_gettime(_BOOT_CLOCK)


# macOS has no CLOCK_BOOTTIME; its CLOCK_MONOTONIC goes on while a process is stopped, which is what deadlines need.
_BOOT_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def _offset_seconds(setting: str) -> float:
    if setting.startswith("@"):
        return _offset_of_file(setting[1:], int(time.monotonic() / _FILE_CHECK_SECONDS))
    return float(setting)


@lru_cache(maxsize=4)
def _offset_of_file(path: str, tick: int) -> float:
    """The offset in a file, read at most once each tick."""
    try:
        return float(Path(path).read_text() or 0)
    except FileNotFoundError:
        return 0.0
