"""The composition root: settings, URLs, Celery, process list and the wiring of event consumers."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
