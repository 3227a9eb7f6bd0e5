"""The ledger: what of a record is sealed, the links of the chain, and how a record is bound into it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Model

from consent.models import ConsentRecord, ConsentSeal, ImportStatement, LedgerCheck, SealedBatch
from consent.rules.seals import BATCH_LEAVES, EMPTY, Link, digest_of, leaves_in, merkle_path

BATCH = 1000
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
    return [(_link(seal), is_over_many(seal)) for seal in page]


def _link(seal: ConsentSeal) -> Link:
    one = None if is_over_many(seal) else seal.record_id
    return Link(seal.sequence, what(seal), seal.digest, seal.chain_hash, seal.sealed_at.isoformat(), one)


def packed_leaves(sequence: int) -> Iterator[bytes]:
    """The kept digests of a link over many, as consent.rules.seals.leaves_in reads them."""
    for batch in batches_of(ConsentSeal.objects.get(sequence=sequence)):
        yield bytes(batch.leaves)


def is_over_many(seal: ConsentSeal) -> bool:
    return seal.import_statement_id is not None or seal.records > 1


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


def link_of(record: ConsentRecord) -> ConsentSeal | None:
    """The link that covers a record; None: it is not sealed yet."""
    if record.import_statement_id is not None:
        return ConsentSeal.objects.filter(import_statement_id=record.import_statement_id).first()
    found = _seal_of(record)
    return found[0] if found else None


def _seal_of(record: ConsentRecord) -> tuple[ConsentSeal, str, list[tuple[str, str]]] | None:
    """The link that covers a record, the record's digest as it was sealed, and the path from it."""
    if record.import_statement_id is not None:
        seal = ConsentSeal.objects.filter(import_statement_id=record.import_statement_id).first()
        batches = SealedBatch.objects.filter(import_statement_id=record.import_statement_id)
        batch = batches.filter(last_record_id__gte=record.id).order_by("last_record_id").first()
        if seal is None or batch is None:
            return None
        found = _path_in(batch, record.id)
        if found is None:
            return None
        own, path = found
        roots = list(batches.order_by("position").values_list("root", flat=True))
        statement = ImportStatement.objects.get(id=record.import_statement_id)
        return seal, own, [*path, *merkle_path(roots, batch.position), ("left", digest(statement))]
    seal = ConsentSeal.objects.filter(record_id=record.id, records=1).first()
    if seal is not None:
        return seal, seal.digest, []
    runs = SealedBatch.objects.filter(import_statement_id=None, last_record_id__gte=record.id)
    for batch in runs.order_by("last_record_id")[:_RUNS]:
        found = _path_in(batch, record.id)
        if found is not None:
            own, path = found
            return ConsentSeal.objects.get(record_id=batch.run_end_id), own, path
    return None


_RUNS = 50
"""Runs that are looked through for a record: they follow the order of commits, which is not quite that of ids."""


def _path_in(batch: SealedBatch, record_id: int) -> tuple[str, list[tuple[str, str]]] | None:
    """A record's digest and its path to the batch's root; None: it is not in this batch."""
    leaves = list(leaves_in(bytes(batch.leaves)))
    index = next((place for place, (one, _) in enumerate(leaves) if one == record_id), None)
    return None if index is None else (leaves[index][1], merkle_path([own for _, own in leaves], index))


def chain_head() -> ConsentSeal | None:
    """The last link of the organization in scope."""
    found: ConsentSeal | None = ConsentSeal.objects.order_by("-sequence").first()
    return found


def statement_page(statement_id: int, *, after_id: int) -> list[ConsentRecord]:
    """The next records of an import statement, by id."""
    found = ConsentRecord.objects.filter(import_statement_id=statement_id, id__gt=after_id)
    return list(found.order_by("id")[:BATCH_LEAVES])


def last_check() -> LedgerCheck | None:
    """The newest walk over the chain of the organization in scope."""
    found: LedgerCheck | None = LedgerCheck.objects.order_by("-checked_at").first()
    return found
