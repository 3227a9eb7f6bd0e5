"""The people of an audience, page by page, with what decides whether each can be texted."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from common.sql import fetch_all
from common.tenancy import current_organization_id
from contacts.models import Contact, ListMember, PhoneLabel


@dataclass(frozen=True, slots=True)
class Audience:
    """All contacts, or those on any of the lists; `label` is the phone field that is texted (D4)."""

    everyone: bool = True
    list_ids: tuple[int, ...] = ()
    label: str = PhoneLabel.MOBILE


@dataclass(frozen=True, slots=True)
class Candidate:
    """A contact of the audience; `values` are for tags, `phone` empty where the field is."""

    contact_id: int
    values: dict[str, str]
    time_zone: str
    phone: str
    textable: bool
    opted_out: bool
    consented: bool
    in_campaign: bool


def candidates(audience: Audience, *, program_id: int, campaign_id: int, after_id: int, limit: int) -> list[Candidate]:
    """The next contacts of the audience in the order of their ids."""
    lists = None if audience.everyone else list(audience.list_ids)
    return _read(_PAGE, audience.label, program_id, campaign_id, lists=lists, after=after_id, limit=limit)


def audience_size(audience: Audience) -> int:
    """How many contacts are in the audience, before anybody is left out."""
    if audience.everyone:
        return Contact.objects.count()
    members = ListMember.objects.filter(contact_list_id__in=audience.list_ids)
    return members.count() if len(audience.list_ids) == 1 else members.values("contact_id").distinct().count()


def candidates_by_id(
    contact_ids: Sequence[int], *, label: str, program_id: int, campaign_id: int
) -> dict[int, Candidate]:
    """The same of given contacts, by id; those who are gone are missing."""
    rows = _read(_GIVEN, label, program_id, campaign_id, contacts=list(contact_ids))
    return {row.contact_id: row for row in rows}


def _read(sql: str, label: str, program_id: int, campaign_id: int, **parameters: Any) -> list[Candidate]:
    rows = fetch_all(
        sql,
        parameters
        | {
            "organization": current_organization_id(),
            "label": label,
            "program": program_id,
            "campaign": campaign_id,
        },
    )
    return [_candidate(row) for row in rows]


_TAGS = ("first_name", "last_name", "email", "company", "city", "region", "postcode", "country")


def _candidate(row: tuple[Any, ...]) -> Candidate:
    values = dict(zip(_TAGS, row[1:9], strict=True))
    values["phone"] = row[11] or ""
    for name, value in json.loads(row[9]).items():
        values[f"custom.{name}"] = str(value)
    return Candidate(row[0], values, row[10], row[11] or "", bool(row[12]), row[13], row[14], row[15])


_SELECT = """
SELECT DISTINCT ON (c.id) c.id, c.first_name, c.last_name, c.email, c.company, c.city, c.region, c.postcode, c.country,
    c.custom, c.time_zone, p.phone, p.textable,
    EXISTS (SELECT 1 FROM consent_optout o
            WHERE o.organization_id = c.organization_id AND o.phone = p.phone AND o.lifted_at IS NULL),
    EXISTS (SELECT 1 FROM consent_consentstate s
            WHERE s.organization_id = c.organization_id AND s.phone = p.phone AND s.program_id = %(program)s
                AND s.granted),
    EXISTS (SELECT 1 FROM messaging_message m WHERE m.campaign_id = %(campaign)s AND m.phone = p.phone)
FROM contacts_contact c
LEFT JOIN contacts_contactphone p
    ON p.organization_id = c.organization_id AND p.contact_id = c.id AND p.label = %(label)s
WHERE c.organization_id = %(organization)s AND
"""

_PAGE = (
    _SELECT
    + """ c.id > %(after)s AND (%(lists)s::bigint[] IS NULL OR EXISTS (
    SELECT 1 FROM contacts_listmember l WHERE l.contact_id = c.id AND l.contact_list_id = ANY(%(lists)s::bigint[])))
ORDER BY c.id, p.id LIMIT %(limit)s
"""
)

_GIVEN = _SELECT + " c.id = ANY(%(contacts)s) ORDER BY c.id, p.id"
