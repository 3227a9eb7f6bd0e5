"""The ledger: digests of what is sealed, and the walk that finds what was changed behind the product's back."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from django.db.models import Model

from common.sql import fetch_all
from common.tenancy import current_organization_id
from consent.models import Action, ConsentRecord, ConsentSeal, ImportStatement, LedgerCheck, SealedBatch
from consent.rules.projection import Fact, Projection, Standing, project
from consent.rules.seals import (
    BATCH_LEAVES,
    EMPTY,
    Link,
    MerkleTree,
    chain_hash,
    digest_of,
    leaves_in,
    merkle_path,
    merkle_root,
    statement_root,
)

BATCH = 1000
MOST_FINDINGS = 20
SEALED_FIELDS = (
    *("id", "organization_id", "phone", "program_id", "action", "occurred_at", "medium", "program_version"),
    *("import_statement_id", "source_url", "ip_address", "user_agent", "identity", "department_id", "evidence_id"),
    *("inbound_sid", "actor_label", "recorded_at"),
)
LATER_FIELDS = ("note", "message_id", "words_sha256", "evidence_sha256")
"""Left out of the digest where they are empty, so that what was sealed before they existed keeps its digest."""
STATEMENT_FIELDS = (
    *("id", "organization_id", "program_id", "program_version", "medium", "agreed_at", "how", "evidence_id"),
    *("actor_label", "created_at"),
)


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
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(sequence, words, record_id))


def sealed_form(row: Model) -> dict[str, object]:
    """What a record or an import statement is sealed by: its fields, dates as ISO strings."""
    always = STATEMENT_FIELDS if isinstance(row, ImportStatement) else SEALED_FIELDS
    fields = (*always, *(name for name in LATER_FIELDS if getattr(row, name, None) is not None))
    values = {name: getattr(row, name) for name in fields}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}


def digest(row: Model) -> str:
    """SHA-256 (hex) of a record or an import statement as it is sealed."""
    return digest_of(sealed_form(row))


def what(seal: ConsentSeal) -> str:
    """What a link covers, in words."""
    if seal.import_statement_id is not None:
        return f"import statement {seal.import_statement_id} and its {seal.records - 1} records"
    return f"record {seal.record_id}" if seal.records == 1 else f"{seal.records} records up to {seal.record_id}"


def links_after(sequence: int) -> Iterator[ConsentSeal]:
    """The links behind one, in order, a page at a time."""
    while True:
        page = list(ConsentSeal.objects.filter(sequence__gt=sequence).order_by("sequence")[:BATCH])
        yield from page
        if len(page) < BATCH:
            return
        sequence = page[-1].sequence


def batches_of(seal: ConsentSeal) -> Iterator[SealedBatch]:
    """The kept digests of a link over many records, in order, one batch in memory at a time."""
    if seal.import_statement_id is None:
        found = SealedBatch.objects.filter(run_end_id=seal.record_id)
    else:
        found = SealedBatch.objects.filter(import_statement_id=seal.import_statement_id)
    for position in found.order_by("position").values_list("position", flat=True):
        yield found.get(position=position)


def links_to_export(sequence: int) -> list[tuple[Link, bool]]:
    """The next links behind one, each with whether it covers many records."""
    page = ConsentSeal.objects.filter(sequence__gt=sequence).order_by("sequence")[:BATCH]
    return [(_link(seal), _is_over_many(seal)) for seal in page]


def _link(seal: ConsentSeal) -> Link:
    one = None if _is_over_many(seal) else seal.record_id
    return Link(seal.sequence, what(seal), seal.digest, seal.chain_hash, one)


def packed_leaves(sequence: int) -> Iterator[bytes]:
    """The kept digests of a link over many, as consent.rules.seals.leaves_in reads them."""
    for batch in batches_of(ConsentSeal.objects.get(sequence=sequence)):
        yield bytes(batch.leaves)


def _is_over_many(seal: ConsentSeal) -> bool:
    return seal.import_statement_id is not None or seal.records > 1


Leaves = Callable[[int], Iterable[tuple[int, str]]]
"""The records of a link over many, by its sequence: id and digest (hex)."""


@dataclass(frozen=True, slots=True)
class SealProof:
    """How a record is bound into the chain: its digest leads by `path` to the digest of the link `sequence`.

    The link's hash is over the former one, the sequence and that digest.
    """

    sequence: int
    digest: str
    path: list[tuple[str, str]]
    link_digest: str
    former_hash: str
    chain_hash: str
    sealed_at: datetime


def seal_proofs(records: Sequence[ConsentRecord]) -> dict[int, SealProof]:
    """The proof of each of the records that is sealed, by id."""
    proofs = {}
    for record in records:
        found = _seal_of(record)
        if found is None:
            continue
        seal, own, path = found
        former = ConsentSeal.objects.filter(sequence=seal.sequence - 1).values_list("chain_hash", flat=True).first()
        proofs[record.id] = SealProof(
            seal.sequence, own, path, seal.digest, former or EMPTY, seal.chain_hash, seal.sealed_at
        )
    return proofs


def _seal_of(record: ConsentRecord) -> tuple[ConsentSeal, str, list[tuple[str, str]]] | None:
    """The link that covers a record, the record's digest as it was sealed, and the path from it."""
    if record.import_statement_id is not None:
        seal = ConsentSeal.objects.filter(import_statement_id=record.import_statement_id).first()
        batches = SealedBatch.objects.filter(import_statement_id=record.import_statement_id)
        batch = batches.filter(last_record_id__gte=record.id).order_by("last_record_id").first()
        if seal is None or batch is None:
            return None
        own, path = _path_in(batch, record.id)
        roots = list(batches.order_by("position").values_list("root", flat=True))
        statement = ImportStatement.objects.get(id=record.import_statement_id)
        return seal, own, [*path, *merkle_path(roots, batch.position), ("left", digest(statement))]
    seal = ConsentSeal.objects.filter(record_id=record.id, records=1).first()
    if seal is not None:
        return seal, seal.digest, []
    runs = SealedBatch.objects.filter(import_statement_id=None, last_record_id__gte=record.id)
    for batch in runs.order_by("last_record_id")[:_RUNS]:
        if any(record_id == record.id for record_id, _ in leaves_in(bytes(batch.leaves))):
            own, path = _path_in(batch, record.id)
            return ConsentSeal.objects.get(record_id=batch.run_end_id), own, path
    return None


_RUNS = 50
"""Runs that are looked through for a record: they follow the order of commits, which is not quite that of ids."""


def _path_in(batch: SealedBatch, record_id: int) -> tuple[str, list[tuple[str, str]]]:
    leaves = list(leaves_in(bytes(batch.leaves)))
    index = next(place for place, (one, _) in enumerate(leaves) if one == record_id)
    return leaves[index][1], merkle_path([own for _, own in leaves], index)


def chain_head() -> ConsentSeal | None:
    """The last link of the organization in scope."""
    found: ConsentSeal | None = ConsentSeal.objects.order_by("-sequence").first()
    return found


def verify(exported: Iterable[Link], exported_leaves: Leaves) -> Verdict:
    """Walk the chain of the organization in scope from its first link, and hold it against what was exported.

    Every record is read again: a record that was changed, removed or slipped in is named; so is a link that was
    rewritten. `exported` are the links outside the database, in order, `exported_leaves` what those over many hold.
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
        if _is_over_many(seal):
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
    verdict.findings.sort(key=lambda finding: finding.sequence)
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


def statement_page(statement_id: int, *, after_id: int) -> list[ConsentRecord]:
    """The next records of an import statement, by id."""
    found = ConsentRecord.objects.filter(import_statement_id=statement_id, id__gt=after_id)
    return list(found.order_by("id")[:BATCH_LEAVES])


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


def last_check() -> LedgerCheck | None:
    """The newest walk over the chain of the organization in scope."""
    found: LedgerCheck | None = LedgerCheck.objects.order_by("-checked_at").first()
    return found


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
        values = {"organization": current_organization_id(), "phones": phones}
        facts: dict[str, list[Fact]] = {phone: [] for phone in phones}
        for phone, *columns in fetch_all(_FACTS, values):
            facts[phone].append(Fact(*columns))
        kept: dict[str, Projection] = {phone: Projection() for phone in phones}
        for phone, program_id, granted in fetch_all(_KEPT, values):
            if program_id is None:
                kept[phone].opted_out = True
            elif granted:
                kept[phone].programs[program_id] = Standing(granted=True)
        for phone in phones:
            due = project(facts[phone])
            if _gist(due) != _gist(kept[phone]):
                yield Difference(phone, kept[phone], due)


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

_FACTS = """
SELECT r.phone, r.program_id, r.action, r.occurred_at, r.medium, t.undone_at IS NOT NULL
FROM consent_consentrecord r
LEFT JOIN consent_importstatement t ON t.organization_id = r.organization_id AND t.id = r.import_statement_id
WHERE r.organization_id = %(organization)s AND r.phone = ANY(%(phones)s::text[]) ORDER BY r.phone, r.id
"""

_KEPT = """
SELECT phone, program_id, granted FROM consent_consentstate
WHERE organization_id = %(organization)s AND phone = ANY(%(phones)s::text[])
UNION ALL
SELECT phone, NULL, true FROM consent_optout
WHERE organization_id = %(organization)s AND phone = ANY(%(phones)s::text[]) AND lifted_at IS NULL
"""
