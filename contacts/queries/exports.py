"""People as rows of a file."""

from collections.abc import Sequence
from dataclasses import dataclass

from common.sql import fetch_all
from common.tenancy import current_organization_id
from contacts.models import Export
from contacts.queries.people import contact_ids_after


@dataclass(frozen=True, slots=True)
class ExportedRow:
    """A person; `values` in the order of the export's heading, the organization's own fields after."""

    contact_id: int
    values: tuple[str, ...]


def export_by_id(export_id: int) -> Export:
    found: Export = Export.objects.select_related("job", "file", "contact_list").get(id=export_id)
    return found


def exported_after(export: Export, after_id: int, limit: int, *, own: Sequence[str]) -> list[ExportedRow]:
    """The next people of an export; `own` are the keys of the organization's own fields."""
    ids = contact_ids_after(after_id, limit, search=export.search, list_id=export.contact_list_id)
    rows = fetch_all(
        _EXPORTED,
        {"organization": current_organization_id(), "contacts": ids, "own": list(own)},
    )
    return [ExportedRow(row[0], (*row[1:-1], *(value or "" for value in row[-1]))) for row in rows]


_EXPORTED = """
SELECT c.id, c.first_name, c.last_name, c.company, c.email, c.language, c.city, c.region, c.postcode, c.country,
    c.time_zone, COALESCE(p.mobile, ''), COALESCE(p.work, ''), COALESCE(p.other, ''), COALESCE(p.stopped, ''),
    COALESCE(a.programs, ''), to_char(c.created_at, 'YYYY-MM-DD'),
    ARRAY(SELECT c.custom->>k FROM unnest(%(own)s::text[]) WITH ORDINALITY AS o(k, place) ORDER BY place)
FROM contacts_contact c
LEFT JOIN LATERAL (
    SELECT string_agg(q.phone, ' ') FILTER (WHERE q.label = 'MOBILE') AS mobile,
        string_agg(q.phone, ' ') FILTER (WHERE q.label = 'WORK') AS work,
        string_agg(q.phone, ' ') FILTER (WHERE q.label = 'OTHER') AS other,
        to_char(min(x.opted_out_at), 'YYYY-MM-DD') AS stopped
    FROM contacts_contactphone q
    LEFT JOIN consent_optout x ON x.organization_id = q.organization_id AND x.phone = q.phone AND x.lifted_at IS NULL
    WHERE q.organization_id = c.organization_id AND q.contact_id = c.id) p ON true
LEFT JOIN LATERAL (
    SELECT string_agg(DISTINCT g.name, ', ') AS programs FROM contacts_contactphone q
    JOIN consent_consentstate s ON s.organization_id = q.organization_id AND s.phone = q.phone AND s.granted
    JOIN consent_program g ON g.id = s.program_id AND g.organization_id = s.organization_id
    WHERE q.organization_id = c.organization_id AND q.contact_id = c.id) a ON true
WHERE c.organization_id = %(organization)s AND c.id = ANY(%(contacts)s::bigint[])
ORDER BY c.id
"""
