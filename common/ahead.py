"""Reading ahead."""

import contextlib
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

_TURN_SECONDS = 0.0005


@contextlib.contextmanager
def quick_turns() -> Iterator[None]:
    """While two threads share the interpreter, have them take turns ten times as often.

    Who gets an answer of the database then waits half a millisecond for the interpreter, not the usual five, which
    would be a tenth of a page of people.
    """
    former = sys.getswitchinterval()
    sys.setswitchinterval(_TURN_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(former)


def ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items, the next one made in a thread while the caller works on the last.

    For a caller who mostly waits, as for the database. An error of the items comes where its item would have come.
    """
    with quick_turns(), ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead") as reader:
        following = reader.submit(next, items, None)
        while (item := following.result()) is not None:
            following = reader.submit(next, items, None)
            yield item
