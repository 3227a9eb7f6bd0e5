"""What records of consent name beside themselves: words, files, imports, and other records that were emptied."""

import re

from common.sql import fetch_all
from common.tenancy import current_organization_id
from consent.models import ConsentRecord, ProgramVersion
from consent.queries.ledger import BATCH, link_of
from consent.queries.verdict import Verdict
from consent.rules.seals import digest_of_words
from content.models import StoredFile
from content.queries import digest_on_disk


def check_what_is_named(verdict: Verdict) -> None:
    """Add to a verdict what records of the organization in scope name and is not as they say."""
    _check_erasures(verdict)
    _check_statements(verdict)
    _check_words(verdict)
    _check_files(verdict)


def _check_erasures(verdict: Verdict) -> None:
    """The records that are empty are those which the erasure names: nobody hides one more behind it."""
    for erasure_id, note, occurred_at, emptied, which in fetch_all(
        _EMPTIED, {"organization": current_organization_id()}
    ):
        said = re.match(r"(\d+) records \((\w+)\): ", note or "")
        link = link_of(ConsentRecord.objects.get(id=erasure_id))
        sequence = link.sequence if link else verdict.links
        if said is None or (int(said[1]), said[2]) != (emptied, which):
            words = f"record {erasure_id} emptied others than those that are empty"
            verdict.add(sequence, words, erasure_id)
        if link is not None and occurred_at > link.sealed_at:
            verdict.add(sequence, f"record {erasure_id} was dated ahead", erasure_id)


# The function erase_consent writes the note: how many records, and the SHA-256 of their ids.
_EMPTIED = """
SELECT e.id, e.note, e.occurred_at, count(r.id),
    encode(sha256(convert_to(COALESCE(string_agg(r.id::text, ',' ORDER BY r.id), ''), 'UTF8')), 'hex')
FROM consent_consentrecord e
LEFT JOIN consent_consentrecord r ON r.organization_id = e.organization_id AND r.phone = '' AND r.erased_by_id = e.id
WHERE e.organization_id = %(organization)s AND e.phone = '' AND e.action = 'ERASE'
GROUP BY e.id, e.note, e.occurred_at ORDER BY e.id
"""


def _check_statements(verdict: Verdict) -> None:
    """Imports: none is missing or open for ever, and what counts for nothing was undone by somebody who is recorded."""
    values = {"organization": current_organization_id()}
    for statement_id, record_id in fetch_all(_WITHOUT_STATEMENT, values):
        words = f"record {record_id} names import statement {statement_id}, which is missing or was never completed"
        verdict.add(verdict.links, words, record_id)
    for statement_id, undone, record_id in fetch_all(_UNDONE, values):
        told = "is said to be undone, and nobody undid it" if undone else "was undone, and counts again"
        sequence = _sequence_of(record_id, verdict) if record_id else verdict.links
        verdict.add(sequence, f"import statement {statement_id} {told}", record_id)


# An import is sealed within seconds of its end; a week is more than any takes.
_WITHOUT_STATEMENT = """
SELECT r.import_statement_id, min(r.id) FROM consent_consentrecord r
LEFT JOIN consent_importstatement t ON t.organization_id = r.organization_id AND t.id = r.import_statement_id
WHERE r.organization_id = %(organization)s AND r.import_statement_id IS NOT NULL
    AND (t.id IS NULL OR t.completed_at IS NULL AND t.created_at < (
        SELECT max(sealed_at) FROM consent_consentseal WHERE organization_id = %(organization)s) - interval '7 days')
GROUP BY 1
"""

_UNDONE = """
SELECT t.id, t.undone_at IS NOT NULL, u.id FROM consent_importstatement t
LEFT JOIN consent_consentrecord u ON u.organization_id = t.organization_id AND u.phone = '' AND u.action = 'UNDO'
    AND u.note = 'import statement ' || t.id
WHERE t.organization_id = %(organization)s AND (t.undone_at IS NULL) <> (u.id IS NULL) ORDER BY t.id
"""


def _check_words(verdict: Verdict) -> None:
    """The words of each version are those that records and statements were sealed with."""
    known = {
        (version.program_id, version.version): digest_of_words(version.opt_in_text)
        for version in ProgramVersion.objects.order_by("id")
    }
    for program_id, version, sealed, record_id in fetch_all(_WORDS, {"organization": current_organization_id()}):
        if known.get((program_id, version)) != sealed:
            words = f"version {version} of the words of program {program_id} is not what was agreed to"
            verdict.add(_sequence_of(record_id, verdict), words, record_id)


# A record for each version: the first that names it; of an import any.
_WORDS = """
SELECT program_id, program_version, words_sha256, min(id) FROM consent_consentrecord
WHERE organization_id = %(organization)s AND words_sha256 IS NOT NULL GROUP BY 1, 2, 3
UNION ALL
SELECT t.program_id, t.program_version, t.words_sha256, r.id FROM consent_importstatement t
JOIN LATERAL (SELECT id FROM consent_consentrecord WHERE import_statement_id = t.id ORDER BY id LIMIT 1) r ON true
WHERE t.organization_id = %(organization)s AND t.words_sha256 IS NOT NULL
ORDER BY 1, 2
"""


def _check_files(verdict: Verdict) -> None:
    """The files that prove consents are those that records were sealed with, and are there."""
    last = 0
    while page := fetch_all(_FILES, {"organization": current_organization_id(), "after": last, "limit": BATCH}):
        files = StoredFile.objects.in_bulk([evidence_id for evidence_id, _, _ in page])
        for evidence_id, sealed, record_id in page:
            file = files.get(evidence_id)
            there = digest_on_disk(file) if file is not None else None
            if there != sealed:
                words = f"the file that proves record {record_id} {'is gone' if there is None else 'was changed'}"
                verdict.add(_sequence_of(record_id, verdict), words, record_id)
        last = page[-1][0]


# Of an import any of its records.
_FILES = """
SELECT * FROM (
    SELECT evidence_id, evidence_sha256, min(id) FROM consent_consentrecord
    WHERE organization_id = %(organization)s AND evidence_sha256 IS NOT NULL AND evidence_id > %(after)s
    GROUP BY 1, 2
    UNION ALL
    SELECT t.evidence_id, t.evidence_sha256, r.id FROM consent_importstatement t
    JOIN LATERAL (SELECT id FROM consent_consentrecord WHERE import_statement_id = t.id ORDER BY id LIMIT 1) r ON true
    WHERE t.organization_id = %(organization)s AND t.evidence_sha256 IS NOT NULL AND t.evidence_id > %(after)s
) x ORDER BY 1 LIMIT %(limit)s
"""


def _sequence_of(record_id: int, verdict: Verdict) -> int:
    """The link over a record; the last one where it is not sealed yet."""
    link = link_of(ConsentRecord.objects.get(id=record_id))
    return link.sequence if link else verdict.links
