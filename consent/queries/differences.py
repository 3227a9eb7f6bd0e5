"""Where what is kept of a phone is not what its records come to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from common.sql import fetch_all
from common.tenancy import current_organization_id
from consent.queries.ledger import BATCH
from consent.rules.projection import Fact, Projection, Standing, project


@dataclass(frozen=True, slots=True)
class Difference:
    """A phone whose kept state is not what its records come to."""

    phone: str
    kept: Projection
    due: Projection

    def __str__(self) -> str:
        parts = []
        if self.kept.opted_out != self.due.opted_out:
            parts.append("its records say STOP" if self.due.opted_out else "its records do not say STOP")
        for program_id in sorted(self.kept.programs.keys() | self.due.programs.keys()):
            kept, due = _granted(self.kept, program_id), _granted(self.due, program_id)
            if kept != due:
                name = f"program {program_id}" if program_id else "the conversation"
                parts.append(f"{name} is {'granted' if kept else 'not granted'}, due: {'granted' if due else 'not'}")
        return f"{self.phone}: {'; '.join(parts)}"


def _granted(projection: Projection, program_id: int) -> bool:
    standing = projection.programs.get(program_id)
    return standing is not None and standing.granted


def differences() -> Iterator[Difference]:
    """The phones of the organization in scope whose consents or opt-out are not what their records come to."""
    for phones in _phones():
        yield from differences_of(phones)


def differences_of(phones: Sequence[str]) -> list[Difference]:
    """The same of some phones, as of one moment: a STOP that comes meanwhile is seen in both or in neither."""
    facts: dict[str, list[Fact]] = {phone: [] for phone in phones}
    kept: dict[str, Projection] = {phone: Projection() for phone in phones}
    rows = fetch_all(_FACTS_AND_KEPT, {"organization": current_organization_id(), "phones": list(phones)})
    for phone, program_id, action, *rest in rows:
        if action == "OPTED OUT":
            kept[phone].opted_out = True
        elif action == "GRANTED":
            kept[phone].programs[program_id] = Standing(granted=True)
        else:
            facts[phone].append(Fact(program_id, action, *rest))
    found = ((phone, project(facts[phone])) for phone in phones)
    return [Difference(phone, kept[phone], due) for phone, due in found if _gist(due) != _gist(kept[phone])]


def _gist(projection: Projection) -> tuple[bool, set[int]]:
    return projection.opted_out, {key for key, standing in projection.programs.items() if standing.granted}


def _phones() -> Iterator[list[str]]:
    last = ""
    while page := fetch_all(_PHONES, {"organization": current_organization_id(), "after": last, "limit": BATCH}):
        yield [phone for (phone,) in page]
        last = page[-1][0]


# Every phone that has a record or a state or an opt-out, in order.
_PHONES = """
SELECT phone FROM (
    (SELECT DISTINCT phone FROM consent_consentrecord WHERE organization_id = %(organization)s AND phone > %(after)s
     ORDER BY phone LIMIT %(limit)s)
    UNION
    (SELECT DISTINCT phone FROM consent_consentstate WHERE organization_id = %(organization)s AND phone > %(after)s
     ORDER BY phone LIMIT %(limit)s)
    UNION
    (SELECT phone FROM consent_optout WHERE organization_id = %(organization)s AND phone > %(after)s
     ORDER BY phone LIMIT %(limit)s)
) p ORDER BY phone LIMIT %(limit)s
"""

_FACTS_AND_KEPT = """
SELECT phone, program_id, action, occurred_at, medium, undone, imported, of_file FROM (
    SELECT r.phone, r.id, r.program_id, r.action, r.occurred_at, r.medium, t.undone_at IS NOT NULL AS undone,
        r.import_statement_id IS NOT NULL AS imported, COALESCE(t.medium, '') <> '' AS of_file
    FROM consent_consentrecord r
    LEFT JOIN consent_importstatement t ON t.organization_id = r.organization_id AND t.id = r.import_statement_id
    WHERE r.organization_id = %(organization)s AND r.phone = ANY(%(phones)s::text[])
    UNION ALL
    SELECT phone, 0, program_id, 'GRANTED', NULL, NULL, NULL, NULL, NULL FROM consent_consentstate
    WHERE organization_id = %(organization)s AND phone = ANY(%(phones)s::text[]) AND granted
    UNION ALL
    SELECT phone, 0, 0, 'OPTED OUT', NULL, NULL, NULL, NULL, NULL FROM consent_optout
    WHERE organization_id = %(organization)s AND phone = ANY(%(phones)s::text[]) AND lifted_at IS NULL
) x ORDER BY phone, id
"""
