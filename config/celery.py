"""Celery: the wake-up call. PostgreSQL holds the work; losing every broker message loses nothing."""

import gc
import os

from celery import Celery
from celery.signals import worker_process_init, worker_process_shutdown

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("carillon")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect
def _leave_what_is_loaded_alone(**_: object) -> None:
    """Modules live as long as the process: the collector need not look at them at every turn (a sixth of a quote)."""
    gc.collect()
    gc.freeze()


@worker_process_shutdown.connect
def _leave_the_figures(**_: object) -> None:
    """A child of a worker ends without Python's own way out."""
    from common.metrics import flush  # settings are read by then

    flush()
