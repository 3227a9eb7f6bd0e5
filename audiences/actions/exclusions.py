"""Noting who is left out."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from audiences.models import Exclusion
from audiences.rules.exclusions import Reason
from common.sql import run
from common.tenancy import current_organization_id


class LeftOut(NamedTuple):
    """Somebody who gets no text, and why."""

    contact_id: int
    phone: str
    reason: Reason
    detail: str = ""


def note_exclusions(outreach_id: int, left_out: Sequence[LeftOut], *, quote_id: UUID) -> None:
    """Write exclusions of a quote; someone noted already stays as noted."""
    if not left_out:
        return
    run(
        _NOTE,
        {
            "organization": current_organization_id(),
            "outreach": outreach_id,
            "quote": quote_id,
            "contacts": [item.contact_id for item in left_out],
            "phones": [item.phone for item in left_out],
            "reasons": [item.reason.value for item in left_out],
            "details": [item.detail[:120] for item in left_out],
        },
    )


_NOTE = """
INSERT INTO audiences_exclusion (organization_id, outreach_id, quote_id, contact_id, phone, reason, detail)
SELECT %(organization)s, %(outreach)s, %(quote)s, x.contact_id, x.phone, x.reason, x.detail
FROM unnest(%(contacts)s::bigint[], %(phones)s::text[], %(reasons)s::text[], %(details)s::text[])
    AS x(contact_id, phone, reason, detail)
ON CONFLICT DO NOTHING
"""


def forget_exclusions(outreach_id: int, *, quote_id: UUID, others: bool) -> None:
    """Drop what this quote left out, or (`others`) what every other quote of the outreach did."""
    found = Exclusion.objects.filter(outreach_id=outreach_id)
    (found.exclude(quote_id=quote_id) if others else found.filter(quote_id=quote_id)).delete()
