"""Sealing: one writer for each organization appends records to its chain; nothing waits for it."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from common.sql import fetch_all, oldest_open_transaction
from common.tenancy import current_organization_id
from consent.models import ConsentRecord, ConsentSeal, ImportStatement
from consent.rules.seals import EMPTY, chain_hash, digest_of, merkle_root

BATCH = 1000
SEALED_FIELDS = (
    *("id", "organization_id", "phone", "program_id", "action", "occurred_at", "medium", "program_version"),
    *("import_statement_id", "source_url", "ip_address", "user_agent", "identity", "department_id", "evidence_id"),
    *("inbound_sid", "actor_label", "recorded_at"),
)
_STATEMENT_FIELDS = (
    *("id", "organization_id", "program_id", "program_version", "medium", "agreed_at", "how", "evidence_id"),
    *("actor_label", "created_at"),
)


def seal_organization(*, now: datetime) -> int:
    """Seal what has come to the organization in scope since the last seal; return how many links were added."""
    organization_id = current_organization_id()
    (alone,) = fetch_all("SELECT pg_try_advisory_xact_lock(%s, %s)", [_SEALER_LOCK, organization_id % 2**31])[0]
    if not alone:
        return 0
    last = ConsentSeal.objects.order_by("-sequence").first()
    sequence, head = (last.sequence, last.chain_hash) if last else (0, EMPTY)
    seals = []
    for record_id, transaction_id, statement_id, digest in _unsealed():
        sequence += 1
        head = chain_hash(head, sequence, digest)
        seals.append(
            ConsentSeal(
                organization_id=organization_id,
                sequence=sequence,
                record_id=record_id,
                transaction_id=transaction_id,
                import_statement_id=statement_id,
                digest=digest,
                chain_hash=head,
                sealed_at=now,
            )
        )
    ConsentSeal.objects.bulk_create(seals)
    return len(seals)


def record_digest(record: ConsentRecord) -> str:
    return digest_of(_plain(record, SEALED_FIELDS))


def statement_digest(statement: ImportStatement) -> str:
    """The Merkle root over the statement itself and its records in the order of their ids."""
    records = ConsentRecord.objects.filter(import_statement_id=statement.id).order_by("id").iterator(BATCH)
    return merkle_root([digest_of(_plain(statement, _STATEMENT_FIELDS)), *map(record_digest, records)])


_SEALER_LOCK = 4_711


def _unsealed() -> Iterator[tuple[int | None, int | None, int | None, str]]:
    for record in _unsealed_records():
        yield record.id, record.transaction_id, None, record_digest(record)
    sealed = ConsentSeal.objects.exclude(import_statement_id=None).values("import_statement_id")
    for statement in ImportStatement.objects.exclude(completed_at=None).exclude(id__in=sealed).order_by("id"):
        yield None, None, statement.id, statement_digest(statement)


def _unsealed_records() -> Iterable[ConsentRecord]:
    last = ConsentSeal.objects.exclude(record_id=None).order_by("-sequence").first()
    at = (last.transaction_id, last.record_id) if last else (0, 0)
    records = ConsentRecord.objects.filter(import_statement_id=None, transaction_id__lt=oldest_open_transaction())
    after = records.extra(where=["(transaction_id, id) > (%s, %s)"], params=list(at))
    found: Iterable[ConsentRecord] = after.order_by("transaction_id", "id")[:BATCH]
    return found


def _plain(row: ConsentRecord | ImportStatement, fields: Iterable[str]) -> dict[str, object]:
    values = {field: getattr(row, field) for field in fields}
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in values.items()}
