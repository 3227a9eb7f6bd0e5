"""Noting who is left out."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from audiences.models import Exclusion
from audiences.rules.exclusions import Reason
from common.tenancy import current_organization_id


class LeftOut(NamedTuple):
    """Somebody who gets no text, and why."""

    contact_id: int
    phone: str
    reason: Reason
    detail: str = ""


def note_exclusions(outreach_id: int, left_out: Sequence[LeftOut], *, quote_id: UUID) -> None:
    """Write exclusions of a quote; someone noted already stays as noted."""
    Exclusion.objects.bulk_create(
        [
            Exclusion(
                organization_id=current_organization_id(),
                outreach_id=outreach_id,
                quote_id=quote_id,
                contact_id=item.contact_id,
                phone=item.phone,
                reason=item.reason,
                detail=item.detail[:120],
            )
            for item in left_out
        ],
        ignore_conflicts=True,
    )


def forget_exclusions(outreach_id: int, *, quote_id: UUID, others: bool) -> None:
    """Drop what this quote left out, or (`others`) what every other quote of the outreach did."""
    found = Exclusion.objects.filter(outreach_id=outreach_id)
    (found.exclude(quote_id=quote_id) if others else found.filter(quote_id=quote_id)).delete()
