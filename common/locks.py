"""Locks in Valkey that save work. None of them guards data: rows do that themselves, whatever Valkey forgets."""

import contextlib
from collections.abc import Callable, Iterator

from django.conf import settings
from redis import Redis
from redis.exceptions import LockError


class Overtaken(RuntimeError):
    """The lock ran out while this process stood still, and another one has it."""


@contextlib.contextmanager
def only_one(name: str, *, seconds: float) -> Iterator[Callable[[], None] | None]:
    """Be the only one with this name; yields None where another is, else a function that holds on for `seconds` more.

    That function raises Overtaken.
    """
    lock = Redis.from_url(settings.REDIS_URL).lock(f"only-one:{name}", timeout=seconds)
    if not lock.acquire(blocking=False):
        yield None
        return

    def hold_on() -> None:
        try:
            lock.reacquire()
        except LockError as error:
            raise Overtaken(name) from error

    try:
        yield hold_on
    finally:
        with contextlib.suppress(LockError):
            lock.release()
