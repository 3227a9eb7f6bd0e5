"""Of which phones the time of keeping is over."""

from collections.abc import Sequence
from datetime import datetime

from common.sql import fetch_all
from common.tenancy import current_organization_id
from consent.models import ConsentRecord, ImportStatement, OptInRequest

PAGE = 1_000


def phones_to_erase(*, before: datetime, after: str) -> list[str]:
    """Phones behind `after` with records of consent, and neither a text to them nor a record since `before`."""
    rows = fetch_all(
        _PHONES, {"organization": current_organization_id(), "before": before, "after": after, "limit": PAGE}
    )
    return [phone for (phone,) in rows]


def evidence_of_phones(phones: Sequence[str]) -> list[int]:
    """The files that prove what these phones agreed to."""
    found = ConsentRecord.objects.filter(phone__in=phones).exclude(evidence_id=None)
    return sorted({one for one in found.values_list("evidence_id", flat=True) if one is not None})


def unnamed_evidence(file_ids: Sequence[int]) -> list[int]:
    """Those of the files that prove nothing any more."""
    named = {
        *ConsentRecord.objects.filter(evidence_id__in=file_ids).values_list("evidence_id", flat=True),
        *ImportStatement.objects.filter(evidence_id__in=file_ids).values_list("evidence_id", flat=True),
        *OptInRequest.objects.filter(evidence_id__in=file_ids).values_list("evidence_id", flat=True),
    }
    return [one for one in file_ids if one not in named]


_PHONES = """
SELECT DISTINCT r.phone FROM consent_consentrecord r
WHERE r.organization_id = %(organization)s AND r.phone > %(after)s AND r.action IN ('GRANT', 'WITHDRAW')
    AND r.recorded_at < %(before)s
    AND NOT EXISTS (
        SELECT 1 FROM consent_consentrecord n
        WHERE n.organization_id = r.organization_id AND n.phone = r.phone AND n.recorded_at >= %(before)s)
    AND NOT EXISTS (
        SELECT 1 FROM messaging_message m
        WHERE m.organization_id = r.organization_id AND m.phone = r.phone AND m.created_at >= %(before)s)
ORDER BY r.phone LIMIT %(limit)s
"""
