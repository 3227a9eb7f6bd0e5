"""Reads of consent."""

from datetime import datetime, timedelta

from django.db.models import QuerySet

from consent.models import CONVERSATIONAL, ConsentState, OptOut, Program


def program(program_id: int) -> Program:
    found: Program = Program.objects.get(id=program_id)
    return found


def programs() -> QuerySet[Program]:
    """The programs of the organization in scope, by name."""
    return Program.objects.order_by("name")


def is_opted_out(phone: str) -> bool:
    return OptOut.objects.filter(phone=phone, lifted_at=None).exists()


def conversation_is_open(phone: str, *, days: int, now: datetime) -> bool:
    """Whether the person has written within the days, and not stopped since."""
    state = ConsentState.objects.filter(phone=phone, program_id=CONVERSATIONAL, granted=True)
    return state.filter(changed_at__gt=now - timedelta(days=days)).exists()
