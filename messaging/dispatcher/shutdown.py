"""The word that reaches long tasks when their worker is told to stop.

Celery tells its main process alone; the flag lies in memory shared with the forked processes that run the tasks. It
is made when this module is imported, which Celery does before it forks.
"""

import multiprocessing
from typing import Any

from celery.signals import worker_shutting_down

_stopping = multiprocessing.get_context("fork").Event()


@worker_shutting_down.connect
def _note(**_: Any) -> None:
    _stopping.set()


def stopping() -> bool:
    """Whether the worker of this process is shutting down."""
    return _stopping.is_set()
