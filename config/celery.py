"""Celery: the wake-up call. PostgreSQL holds the work; losing every broker message loses nothing."""

import gc
import os

from celery import Celery
from celery.signals import worker_process_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("carillon")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect
def _leave_what_is_loaded_alone(**_: object) -> None:
    """Modules live as long as the process: the collector need not look at them at every turn (a sixth of a quote)."""
    gc.collect()
    gc.freeze()
