"""The walk over a chain, which finds and names what was changed behind the product's back."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from common.sql import fetch_all
from common.tenancy import current_organization_id
from consent.models import Action, ConsentRecord, ConsentSeal, ImportStatement, ProgramVersion
from consent.queries.ledger import BATCH, batches_of, digest, is_over_many, link_of, links_after, statement_page, what
from consent.rules.seals import (
    EMPTY,
    Link,
    MerkleTree,
    chain_hash,
    digest_of_words,
    leaves_in,
    merkle_root,
    statement_root,
)
from content.models import StoredFile
from content.queries import digest_on_disk

MOST_FINDINGS = 20

Leaves = Callable[[int], Iterable[tuple[int, str]]]
"""The records of a link over many, by its sequence: id and digest (hex)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was sealed; `sequence` is the link, `record_id` the record where it is one."""

    sequence: int
    words: str
    record_id: int | None = None

    def __str__(self) -> str:
        return f"Link {self.sequence}: {self.words}"


@dataclass(slots=True)
class Verdict:
    """What the walk over a chain found, the first broken link first; at most MOST_FINDINGS of them."""

    links: int = 0
    records: int = 0
    head: str = EMPTY
    findings: list[Finding] = field(default_factory=list)

    @property
    def unbroken(self) -> bool:
        return not self.findings

    def add(self, sequence: int, words: str, record_id: int | None = None) -> None:
        self.findings.append(Finding(sequence, words, record_id))
        if len(self.findings) > 10 * MOST_FINDINGS:
            self.keep_the_first()

    def keep_the_first(self) -> None:
        """Sort by link, and forget what nobody would read."""
        self.findings.sort(key=lambda finding: finding.sequence)
        del self.findings[MOST_FINDINGS:]


def verify(exported: Iterable[Link], exported_leaves: Leaves) -> Verdict:
    """Walk the chain of the organization in scope from its first link, and hold it against what was exported.

    Every record is read again: a record that was changed, removed or slipped in is named; so are a link that was
    rewritten, and words and files that are not those that a record names. `exported` are the links outside the
    database, in order, `exported_leaves` what those over many hold.
    """
    verdict, outside = Verdict(), iter(exported)
    singles: list[ConsentSeal] = []
    for seal in links_after(0):
        verdict.links += 1
        if seal.sequence != verdict.links:
            verdict.add(verdict.links, f"links {verdict.links} to {seal.sequence - 1} are missing")
            verdict.links = seal.sequence
        expected = chain_hash(verdict.head, seal.sequence, seal.digest)
        if seal.chain_hash != expected:
            verdict.add(seal.sequence, f"its hash does not follow from the link before it ({what(seal)})")
        verdict.head = seal.chain_hash
        _hold_against(next(outside, None), seal, exported_leaves, verdict)
        if is_over_many(seal):
            _check_many(seal, verdict)
            continue
        singles.append(seal)
        if len(singles) == BATCH:
            _check_singles(singles, verdict)
            singles.clear()
    _check_singles(singles, verdict)
    for link in outside:
        verdict.add(link.sequence, f"it was exported ({link.of}) and is gone")
        _name_changed(link, exported_leaves, verdict)
    _check_slipped_in(verdict)
    _check_erasures(verdict)
    _check_words(verdict)
    _check_files(verdict)
    verdict.keep_the_first()
    return verdict


def _hold_against(link: Link | None, seal: ConsentSeal, leaves: Leaves, verdict: Verdict) -> None:
    if link is None or (link.sequence, link.digest, link.chain_hash) == (seal.sequence, seal.digest, seal.chain_hash):
        return
    if link.digest == seal.digest:
        if verdict.unbroken:  # whatever follows a rewritten link differs
            verdict.add(seal.sequence, f"{what(seal)}: the chain before it was rewritten since it was exported")
        return
    verdict.add(seal.sequence, f"{what(seal)}: rewritten since it was exported as {link.of}")
    _name_changed(link, leaves, verdict)


def _name_changed(link: Link, leaves: Leaves, verdict: Verdict) -> None:
    """Hold the records of an exported link against what was exported of them."""
    outside = iter(leaves(link.sequence) if link.record_id is None else [(link.record_id, link.digest)])
    while page := list(islice(outside, BATCH)):
        records = ConsentRecord.objects.in_bulk([record_id for record_id, _ in page])
        erasures = _erasures(records.values())
        for record_id, sealed in page:
            _check_record(link.sequence, record_id, sealed, records.get(record_id), erasures, verdict)


def _check_singles(seals: Sequence[ConsentSeal], verdict: Verdict) -> None:
    records = ConsentRecord.objects.in_bulk([seal.record_id for seal in seals])
    erasures = _erasures(records.values())
    for seal in seals:
        assert seal.record_id is not None
        _check_record(seal.sequence, seal.record_id, seal.digest, records.get(seal.record_id), erasures, verdict)


def _check_record(
    sequence: int, record_id: int, sealed: str, record: ConsentRecord | None, erasures: set[int], verdict: Verdict
) -> None:
    verdict.records += 1
    if record is None:
        verdict.add(sequence, f"record {record_id} was removed", record_id)
    elif record.erased_by_id is not None:
        if record.erased_by_id not in erasures or record.phone:
            verdict.add(sequence, f"record {record_id} was emptied, but not after the time of keeping", record_id)
    elif digest(record) != sealed:
        verdict.add(sequence, f"record {record_id} was changed", record_id)


def _erasures(records: Iterable[ConsentRecord]) -> set[int]:
    """Those of the records that emptied these which really say so."""
    named = {record.erased_by_id for record in records if record.erased_by_id is not None}
    if not named:
        return set()
    return set(ConsentRecord.objects.filter(id__in=named, action=Action.ERASE).values_list("id", flat=True))


def _check_many(seal: ConsentSeal, verdict: Verdict) -> None:
    """A link over many records: each against its kept digest, and these against the Merkle root in the link."""
    statement = None
    if seal.import_statement_id is not None:
        statement = ImportStatement.objects.filter(id=seal.import_statement_id).first()
        if statement is None:
            verdict.add(seal.sequence, f"import statement {seal.import_statement_id} was removed")
            return
    found, last, tree, kept = len(verdict.findings), 0, MerkleTree(), False
    for batch in batches_of(seal):
        kept = True
        leaves = list(leaves_in(bytes(batch.leaves)))
        if merkle_root(one for _, one in leaves) != batch.root:
            verdict.add(seal.sequence, f"{what(seal)}: kept digests were changed")
        tree.add(batch.root)
        _check_leaves(seal, leaves, last, verdict)
        last = leaves[-1][0]
    if statement is not None and kept:
        for record_id in _records_between(seal, last, 2**62, []):
            verdict.add(seal.sequence, f"record {record_id} was slipped in", record_id)
    root = tree.root()
    if statement is not None:
        root = statement_root(digest(statement), root) if kept else _former_root(statement, verdict)
    if root != seal.digest and len(verdict.findings) == found:
        verdict.add(seal.sequence, f"{what(seal)}: {_what_else(statement)} changed")


def _check_leaves(seal: ConsentSeal, leaves: list[tuple[int, str]], after_id: int, verdict: Verdict) -> None:
    records = _records_between(seal, after_id, leaves[-1][0], [record_id for record_id, _ in leaves])
    erasures = _erasures(records.values())
    for record_id, sealed in leaves:
        _check_record(seal.sequence, record_id, sealed, records.pop(record_id, None), erasures, verdict)
    for record_id in records:
        verdict.add(seal.sequence, f"record {record_id} was slipped in", record_id)


def _former_root(statement: ImportStatement, verdict: Verdict) -> str:
    """The root of a link that was made before digests were kept: it alone can tell, and not which record it was."""
    tree, last = MerkleTree([digest(statement)]), 0
    while page := statement_page(statement.id, after_id=last):
        for record in page:
            tree.add(digest(record))
            verdict.records += 1
        last = page[-1].id
    return tree.root()


def _what_else(statement: ImportStatement | None) -> str:
    return "the statement itself, or a record together with its kept digest, was" if statement else "kept digests were"


def _records_between(seal: ConsentSeal, after_id: int, upto_id: int, ids: list[int]) -> dict[int, ConsentRecord]:
    if seal.import_statement_id is None:
        return dict(ConsentRecord.objects.in_bulk(ids))
    found = ConsentRecord.objects.filter(import_statement_id=seal.import_statement_id, id__gt=after_id, id__lte=upto_id)
    return {record.id: record for record in found}


def _check_slipped_in(verdict: Verdict) -> None:
    """Records that lie before the last sealed one and that no link covers: written by another hand."""
    ((number, within),) = fetch_all(_COVERED, {"organization": current_organization_id()})
    if number <= within:
        return
    sealed: set[int] = set()
    for seal in links_after(0):
        if seal.import_statement_id is None:
            sealed.add(seal.record_id or 0)
            if seal.records > 1:
                sealed.update(
                    record_id for batch in batches_of(seal) for record_id, _ in leaves_in(bytes(batch.leaves))
                )
    for (record_id,) in fetch_all(_BEFORE_THE_LAST, {"organization": current_organization_id()}):
        if record_id not in sealed:
            verdict.add(verdict.links, f"record {record_id} was slipped in", record_id)


_LAST = """last AS (
    SELECT transaction_id, record_id FROM consent_consentseal
    WHERE organization_id = %(organization)s AND import_statement_id IS NULL ORDER BY sequence DESC LIMIT 1
)"""

_COVERED = f"""
WITH {_LAST}
SELECT (SELECT count(*) FROM consent_consentrecord r, last
        WHERE r.organization_id = %(organization)s AND r.import_statement_id IS NULL
            AND (r.transaction_id, r.id) <= (last.transaction_id, last.record_id)),
    (SELECT COALESCE(sum(records), 0) FROM consent_consentseal
        WHERE organization_id = %(organization)s AND import_statement_id IS NULL)
"""

_BEFORE_THE_LAST = f"""
WITH {_LAST}
SELECT r.id FROM consent_consentrecord r, last
WHERE r.organization_id = %(organization)s AND r.import_statement_id IS NULL
    AND (r.transaction_id, r.id) <= (last.transaction_id, last.record_id) ORDER BY r.id
"""


# What records name ---------------------------------------------------------------------------------------------------


def _check_erasures(verdict: Verdict) -> None:
    """As many records are empty as those say that emptied them: nobody hides one more behind them."""
    for erasure_id, note, emptied in fetch_all(_EMPTIED, {"organization": current_organization_id()}):
        said = int(note.partition(" ")[0])
        if said != emptied:
            words = f"record {erasure_id} says that {said} records were emptied, and {emptied} are"
            verdict.add(_sequence_of(erasure_id, verdict), words, erasure_id)


# The function erase_consent writes the note: "3 records: …".
_EMPTIED = """
SELECT e.id, e.note, count(r.id) FROM consent_consentrecord e
LEFT JOIN consent_consentrecord r ON r.organization_id = e.organization_id AND r.phone = '' AND r.erased_by_id = e.id
WHERE e.organization_id = %(organization)s AND e.phone = '' AND e.action = 'ERASE' GROUP BY e.id, e.note ORDER BY e.id
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
            if there == sealed:
                continue
            words = f"the file that proves record {record_id} {'is gone' if there is None else 'was changed'}"
            verdict.add(_sequence_of(record_id, verdict), words, record_id)
        last = page[-1][0]


_FILES = """
SELECT evidence_id, evidence_sha256, min(id) FROM consent_consentrecord
WHERE organization_id = %(organization)s AND evidence_sha256 IS NOT NULL AND evidence_id > %(after)s
GROUP BY 1, 2 ORDER BY 1 LIMIT %(limit)s
"""


def _sequence_of(record_id: int, verdict: Verdict) -> int:
    """The link over a record; the last one where it is not sealed yet."""
    seal = link_of(ConsentRecord.objects.get(id=record_id))
    return seal.sequence if seal else verdict.links
