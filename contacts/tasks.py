import contextlib
import time

import structlog
from celery import shared_task

from common.actor import SYSTEM, Actor
from common.clock import now
from common.locks import Overtaken, only_one
from common.tenancy import across_organizations
from contacts.actions import fail_import, fill_search, run_export, run_import
from content.tasks import PASSING, failing_in_words

log = structlog.get_logger(__name__)


@shared_task(name="contacts.run_import")
def run_import_task(organization_id: int, import_id: int) -> None:
    """Run an import to its end; where the database is away it is revived later, any other error is said to the user."""
    try:
        run_import(organization_id=organization_id, import_id=import_id, actor=SYSTEM)
    except PASSING:
        raise
    except Exception:
        log.exception("import_failed", organization=organization_id, import_id=import_id)
        fail_import(organization_id=organization_id, import_id=import_id, now=now())
        raise


@shared_task(name="contacts.run_export")
def run_export_task(organization_id: int, export_id: int, label: str, job_id: int) -> None:
    words = "Something went wrong with this file. Ask for it again."
    with failing_in_words(organization_id, job_id, words):
        run_export(organization_id=organization_id, export_id=export_id, actor=Actor(label))


FILL_SECONDS = 10.0


@shared_task(name="contacts.fill_search")
def fill_search_task() -> None:
    """Let new people be found, for some seconds; it rests as long as it works, so that an import goes first."""
    end = time.monotonic() + FILL_SECONDS
    with contextlib.suppress(Overtaken), only_one("search", seconds=FILL_SECONDS * 2) as hold_on:
        filled = 1 if hold_on is not None else 0
        while filled and time.monotonic() < end:
            begun = time.monotonic()
            with across_organizations(because="people of every organization are found by the same index"):
                filled = fill_search()
            time.sleep(time.monotonic() - begun)
