"""What Celery beat starts, and how often.

Long tasks (dispatch, consumers) run for a minute and enqueue their successor themselves; beat only revives them, so
its messages expire before the next one and never pile up.
"""

from typing import Any

from celery.schedules import crontab

from messaging.rules.pacing import SQUASH_SECONDS


def _every(seconds: float, task: str, **options: Any) -> dict[str, Any]:
    return {"task": task, "schedule": seconds, "options": {"expires": seconds, **options}}


def _nightly(hour: int, task: str) -> dict[str, Any]:
    """At this hour UTC, when it is night in the United States."""
    return {"task": task, "schedule": crontab(hour=str(hour), minute="0"), "options": {"expires": 4 * 3600}}


BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "dispatch": _every(2.0, "messaging.dispatch", queue="dispatch"),
    "inbound": _every(1.0, "messaging.consume_inbound", queue="inbound"),
    "receipts": _every(1.0, "messaging.consume_receipts", queue="receipts"),
    "events": _every(1.0, "events.deliver"),
    "windows": _every(1.0, "campaigns.advance"),
    "sweep": _every(5.0, "messaging.sweep"),
    "counters": _every(SQUASH_SECONDS, "messaging.squash_counters"),
    "captures": _every(60.0, "billing.post_captures"),
    "opt-ins": _every(60.0, "messaging.tend_opt_ins"),
    "days": _every(600.0, "messaging.close_past_days"),
    "recent texts": _every(21_600.0, "messaging.forget_recent_texts"),
    "recount": _every(86_400.0, "messaging.recount"),
    "jobs": _every(30.0, "content.revive_jobs"),
    "search": _every(1.0, "contacts.fill_search"),
    "seals": _every(5.0, "consent.seal"),
    "heads": _every(3_600.0, "consent.export_heads"),
    "witness": _nightly(7, "messaging.ask_the_witness"),
    "pages of programs": _nightly(8, "consent.look_again"),
    "ledger": _nightly(9, "consent.verify"),
    "retention": _nightly(10, "dashboard.erase_old_consent"),
}
