"""What looks across apps: the journey of a contact, all that is known of it, and what proves that it may be texted."""

from dashboard.queries.evidence import Evidence, evidence_of
from dashboard.queries.journeys import KINDS, Purpose, Step, Task, everything_about, first_tasks, journey, purposes

__all__ = [
    "KINDS",
    "Evidence",
    "Purpose",
    "Step",
    "Task",
    "everything_about",
    "evidence_of",
    "first_tasks",
    "journey",
    "purposes",
]
