"""Noting who is left out."""

from collections.abc import Sequence
from dataclasses import dataclass

from audiences.models import Exclusion
from audiences.rules.exclusions import Reason
from common.tenancy import current_organization_id


@dataclass(frozen=True, slots=True)
class LeftOut:
    contact_id: int
    phone: str
    reason: Reason
    detail: str = ""


def note_exclusions(outreach_id: int, left_out: Sequence[LeftOut]) -> None:
    """Write exclusions; someone noted already stays as noted."""
    Exclusion.objects.bulk_create(
        [
            Exclusion(
                organization_id=current_organization_id(),
                outreach_id=outreach_id,
                contact_id=item.contact_id,
                phone=item.phone,
                reason=item.reason,
                detail=item.detail[:120],
            )
            for item in left_out
        ],
        ignore_conflicts=True,
    )


def forget_exclusions(outreach_id: int) -> None:
    """Before a new quote: its exclusions replace the old ones."""
    Exclusion.objects.filter(outreach_id=outreach_id).delete()
