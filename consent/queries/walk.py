"""The walk over a chain, which finds and names what was changed behind the product's back."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from common.sql import fetch_all
from common.tenancy import current_organization_id
from consent.models import Action, ConsentRecord, ConsentSeal, ImportStatement, SealedBatch
from consent.queries.bound import check_what_is_named
from consent.queries.ledger import BATCH, batches_of, digest, is_over_many, links_after, statement_page, what
from consent.queries.verdict import Verdict
from consent.rules.law import period
from consent.rules.seals import (
    LEAF_BYTES,
    Link,
    MerkleTree,
    chain_hash,
    leaves_in,
    merkle_root,
    statement_root,
)

KEPT = timedelta(days=365 * period("retention_years").value)

Leaves = Callable[[int], Iterable[tuple[int, str]]]
"""The records of a link over many, by its sequence: id and digest (hex)."""


@dataclass
class _Walk:
    """What the steps of one walk share."""

    leaves: Leaves
    verdict: Verdict = field(default_factory=Verdict)


@dataclass(frozen=True, slots=True)
class _Sealed:
    """A link as the records under it see it."""

    sequence: int
    sealed_at: datetime


def verify(exported: Iterable[Link], exported_leaves: Leaves) -> Verdict:
    """Walk the chain of the organization in scope from its first link, and hold it against what was exported.

    Every record is read again: a record that was changed, removed or slipped in is named; so are a link that was
    rewritten, and words, files and imports that are not those that records name. `exported` are the links outside the
    database, in order, `exported_leaves` what those over many hold.
    """
    walk, outside = _Walk(exported_leaves), iter(exported)
    verdict, singles = walk.verdict, list[ConsentSeal]()
    for seal in links_after(0):
        verdict.links += 1
        if seal.sequence != verdict.links:
            verdict.add(verdict.links, f"links {verdict.links} to {seal.sequence - 1} are missing")
            verdict.links = seal.sequence
        expected = chain_hash(verdict.head, seal.sequence, seal.digest)
        if seal.chain_hash != expected:
            verdict.add(seal.sequence, f"its hash does not follow from the link before it ({what(seal)})")
        verdict.head = seal.chain_hash
        _hold_against(next(outside, None), seal, walk)
        if is_over_many(seal):
            _check_many(seal, walk)
            continue
        singles.append(seal)
        if len(singles) == BATCH:
            _check_singles(singles, walk)
            singles.clear()
    _check_singles(singles, walk)
    for link in outside:
        verdict.add(link.sequence, f"it was exported ({link.of}) and is gone")
        _name_changed(link, walk)
    _check_slipped_in(verdict)
    _check_never_sealed(verdict)
    check_what_is_named(verdict)
    verdict.keep_the_first()
    return verdict


def _hold_against(link: Link | None, seal: ConsentSeal, walk: _Walk) -> None:
    if link is None:
        return
    walk.verdict.exported += 1
    ours = (seal.sequence, seal.digest, seal.chain_hash, seal.sealed_at.isoformat())
    if (link.sequence, link.digest, link.chain_hash, link.sealed_at) == ours:
        return
    if link.digest == seal.digest:
        if walk.verdict.unbroken:  # whatever follows a rewritten link differs
            words = f"{what(seal)}: the link or the chain before it was rewritten since it was exported"
            walk.verdict.add(seal.sequence, words)
        return
    walk.verdict.add(seal.sequence, f"{what(seal)}: rewritten since it was exported as {link.of}")
    _name_changed(link, walk)


def _name_changed(link: Link, walk: _Walk) -> None:
    """Hold the records of an exported link against what was exported of them."""
    sealed = _Sealed(link.sequence, datetime.fromisoformat(link.sealed_at))
    outside = iter(walk.leaves(link.sequence) if link.record_id is None else [(link.record_id, link.digest)])
    while page := list(islice(outside, BATCH)):
        _check_page(sealed, page, ConsentRecord.objects.in_bulk([record_id for record_id, _ in page]), walk.verdict)


def _check_singles(seals: Sequence[ConsentSeal], walk: _Walk) -> None:
    records = ConsentRecord.objects.in_bulk([seal.record_id for seal in seals])
    erasures = _erasures(records.values())
    for seal in seals:
        sealed = _Sealed(seal.sequence, seal.sealed_at)
        assert seal.record_id is not None
        _check_record(sealed, seal.record_id, seal.digest, records.get(seal.record_id), erasures, walk.verdict)


def _check_page(
    sealed: _Sealed, page: Sequence[tuple[int, str]], records: Mapping[int, ConsentRecord], verdict: Verdict
) -> None:
    erasures = _erasures(records.values())
    for record_id, own in page:
        _check_record(sealed, record_id, own, records.get(record_id), erasures, verdict)


def _check_record(
    sealed: _Sealed,
    record_id: int,
    own: str,
    record: ConsentRecord | None,
    erasures: Mapping[int, datetime],
    verdict: Verdict,
) -> None:
    verdict.records += 1
    if record is None:
        verdict.add(sealed.sequence, f"record {record_id} was removed", record_id)
    elif record.erased_by_id is not None:
        if not _is_emptied_in_time(record, sealed.sealed_at, erasures.get(record.erased_by_id)):
            verdict.add(
                sealed.sequence, f"record {record_id} was emptied, but not after the time of keeping", record_id
            )
    elif digest(record) != own:
        verdict.add(sealed.sequence, f"record {record_id} was changed", record_id)


def _is_emptied_in_time(record: ConsentRecord, sealed_at: datetime, emptied_at: datetime | None) -> bool:
    """Whether the one door out was used as it is meant: what people agreed to, years later; a STOP stays for ever."""
    if emptied_at is None or record.phone or record.action not in (Action.GRANT, Action.WITHDRAW):
        return False
    return sealed_at + KEPT <= emptied_at


def _erasures(records: Iterable[ConsentRecord]) -> dict[int, datetime]:
    """Those of the records that emptied these which really say so, with when."""
    named = {record.erased_by_id for record in records if record.erased_by_id is not None}
    if not named:
        return {}
    return dict(ConsentRecord.objects.filter(id__in=named, action=Action.ERASE).values_list("id", "occurred_at"))


def _check_many(seal: ConsentSeal, walk: _Walk) -> None:
    """A link over many records: each against its kept digest, and these against the Merkle root in the link."""
    statement, verdict = None, walk.verdict
    if seal.import_statement_id is not None:
        statement = ImportStatement.objects.filter(id=seal.import_statement_id).first()
        if statement is None:
            verdict.add(seal.sequence, f"import statement {seal.import_statement_id} was removed")
            return
    found, last, tree = len(verdict.findings), 0, MerkleTree()
    for batch in batches_of(seal):
        leaves = _leaves_of(batch)
        if not leaves:
            verdict.add(seal.sequence, f"{what(seal)}: kept digests were changed")
            continue
        tree.add(merkle_root(own for _, own in leaves))
        _check_leaves(seal, leaves, last, verdict)
        last = leaves[-1][0]
    if statement is not None:
        for record_id in _records_between(seal, last, 2**62, []) if last else {}:
            verdict.add(seal.sequence, f"record {record_id} was slipped in", record_id)
    roots = {tree.root()}
    if statement is not None:
        roots = {statement_root(digest(statement), tree.root())}
        if not last:
            roots.add(_former_root(statement, verdict))
    if seal.digest in roots:
        return
    if len(verdict.findings) == found:
        verdict.add(seal.sequence, f"{what(seal)}: {_what_else(statement)} changed")
    # Digests were changed together with the records: what lies outside knows which.
    sealed = _Sealed(seal.sequence, seal.sealed_at)
    outside = iter(walk.leaves(seal.sequence))
    while page := list(islice(outside, BATCH)):
        _check_page(sealed, page, ConsentRecord.objects.in_bulk([record_id for record_id, _ in page]), verdict)


def _leaves_of(batch: SealedBatch) -> list[tuple[int, str]]:
    """The kept digests of a batch; empty where they are no digests, or not those of its root."""
    packed = bytes(batch.leaves)
    if len(packed) % LEAF_BYTES:
        return []
    leaves = list(leaves_in(packed))
    return leaves if merkle_root(own for _, own in leaves) == batch.root else []


def _check_leaves(seal: ConsentSeal, leaves: list[tuple[int, str]], after_id: int, verdict: Verdict) -> None:
    records = _records_between(seal, after_id, leaves[-1][0], [record_id for record_id, _ in leaves])
    _check_page(_Sealed(seal.sequence, seal.sealed_at), leaves, records, verdict)
    for record_id in records.keys() - {record_id for record_id, _ in leaves}:
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
                sealed.update(record_id for batch in batches_of(seal) for record_id, _ in _leaves_of(batch))
    for (record_id,) in fetch_all(_BEFORE_THE_LAST, {"organization": current_organization_id()}):
        if record_id not in sealed:
            verdict.add(verdict.links, f"record {record_id} was slipped in", record_id)


def _check_never_sealed(verdict: Verdict) -> None:
    """Records beyond the last link that name a transaction of days to come: the sealer would wait for it for ever."""
    for (record_id,) in fetch_all(_NEVER_SEALED, {"organization": current_organization_id()}):
        verdict.add(verdict.links, f"record {record_id} was slipped in where nothing is ever sealed", record_id)


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

_NEVER_SEALED = f"""
WITH {_LAST}
SELECT r.id FROM consent_consentrecord r LEFT JOIN last ON true
WHERE r.organization_id = %(organization)s AND r.import_statement_id IS NULL
    AND r.transaction_id > txid_snapshot_xmax(txid_current_snapshot())
    AND (last.record_id IS NULL OR (r.transaction_id, r.id) > (last.transaction_id, last.record_id)) ORDER BY r.id
"""
