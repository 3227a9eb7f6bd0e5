"""Reads of registrations."""

from django.db.models import QuerySet

from registration.models import WITH_STAFF, Registration, ReviewEvent


def newest_registration(number_id: int) -> Registration | None:
    """The registration of a number that counts now."""
    found = Registration.objects.select_related("sender_number", "evidence")
    return found.filter(sender_number_id=number_id).order_by("-id").first()


def steps_of(registration: Registration) -> QuerySet[ReviewEvent]:
    """What became of it so far, newest first."""
    return ReviewEvent.objects.filter(registration_id=registration.id).order_by("-id")


def review_queue() -> QuerySet[Registration]:
    """What waits for a reviewer, longest first: for staff, across organizations."""
    found = Registration.objects.select_related("organization", "sender_number")
    return found.filter(state__in=WITH_STAFF).order_by("updated_at", "id")
