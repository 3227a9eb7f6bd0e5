import structlog
from celery import shared_task
from django.db import Error as DatabaseError

from common.actor import SYSTEM
from common.clock import now
from contacts.actions import fail_import, revive_imports, run_import

log = structlog.get_logger(__name__)


@shared_task(name="contacts.run_import")
def run_import_task(organization_id: int, import_id: int) -> None:
    """Run an import to its end; where the database is away it is revived later, any other error is said to the user."""
    try:
        run_import(organization_id=organization_id, import_id=import_id, actor=SYSTEM)
    except DatabaseError:
        raise
    except Exception:
        log.exception("import_failed", organization=organization_id, import_id=import_id)
        fail_import(organization_id=organization_id, import_id=import_id, now=now())
        raise


@shared_task(name="contacts.revive_imports")
def revive_imports_task() -> None:
    revive_imports(now=now())
