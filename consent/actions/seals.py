"""Sealing: one writer for each organization appends records to its chain; nothing waits for it."""

from collections.abc import Sequence
from datetime import datetime
from itertools import islice

import structlog
from django.db.models import Max

from accounts.actions import notify
from accounts.models import Notice
from accounts.rules.permissions import Permission
from common.sql import fetch_all, oldest_open_transaction, run
from common.tenancy import current_organization_id
from consent.gateways.heads import exported_leaves, exported_links
from consent.models import (
    Action,
    ConsentRecord,
    ConsentSeal,
    ConsentState,
    ImportStatement,
    LedgerCheck,
    OptOut,
    SealedBatch,
)
from consent.queries.differences import differences, differences_of
from consent.queries.ledger import BATCH, digest, last_check, statement_page
from consent.queries.verdict import MOST_FINDINGS, Verdict
from consent.queries.walk import verify
from consent.rules.seals import EMPTY, chain_hash, leaf, merkle_root, statement_root

log = structlog.get_logger(__name__)

FEW = 20
"""Records that come together up to this number get a link each; more share one."""
AT_ONCE = 20
"""Batches of an import's records in one transaction: some half a second."""


def seal_organization(*, now: datetime) -> bool:
    """Seal some of what has come to the organization in scope since the last seal; True: there may be more.

    An import of any size is sealed by one link, prepared over as many calls as it takes: other tenants' records do not
    wait behind it.
    """
    organization_id = current_organization_id()
    (alone,) = fetch_all("SELECT pg_try_advisory_xact_lock(%s, %s)", [_SEALER_LOCK, organization_id % 2**31])[0]
    if not alone:
        return False
    chain = _Chain(organization_id, now)
    records = _unsealed_records()
    if len(records) <= FEW:
        for record in records:
            chain.append(digest(record), record=record)
    else:
        _seal_run(records, chain)
    statement = _unsealed_statement()
    if statement is not None:
        _seal_statement(statement, chain)
    chain.store()
    return statement is not None or len(records) == BATCH


class _Chain:
    """The end of the organization's chain, and the links that are about to join it."""

    def __init__(self, organization_id: int, now: datetime) -> None:
        last = ConsentSeal.objects.order_by("-sequence").first()
        self.organization_id, self.now = organization_id, now
        self.sequence, self.head = (last.sequence, last.chain_hash) if last else (0, EMPTY)
        self.new: list[ConsentSeal] = []

    def append(
        self,
        digest: str,
        *,
        record: ConsentRecord | None = None,
        statement: ImportStatement | None = None,
        records: int = 1,
    ) -> None:
        """Link a record, a run that ends with `record`, or an import's statement and records."""
        self.sequence += 1
        self.head = chain_hash(self.head, self.sequence, digest)
        self.new.append(
            ConsentSeal(
                organization_id=self.organization_id,
                sequence=self.sequence,
                record_id=record.id if record else None,
                transaction_id=record.transaction_id if record else None,
                import_statement_id=statement.id if statement else None,
                records=records,
                digest=digest,
                chain_hash=self.head,
                sealed_at=self.now,
            )
        )

    def store(self) -> None:
        ConsentSeal.objects.bulk_create(self.new)


def _seal_run(records: Sequence[ConsentRecord], chain: _Chain) -> None:
    batch = _batch(chain.organization_id, records)
    batch.run_end_id = records[-1].id
    batch.save()
    chain.append(batch.root, record=records[-1], records=len(records))


def _batch(organization_id: int, records: Sequence[ConsentRecord]) -> SealedBatch:
    digests = [digest(record) for record in records]
    return SealedBatch(
        organization_id=organization_id,
        last_record_id=max(record.id for record in records),
        leaves=b"".join(leaf(record.id, one) for record, one in zip(records, digests, strict=True)),
        root=merkle_root(digests),
    )


def _seal_statement(statement: ImportStatement, chain: _Chain) -> None:
    """Keep the digests of the next of its records; where none is left, link the root over all of them."""
    kept = SealedBatch.objects.filter(import_statement_id=statement.id)
    last = kept.order_by("-position").first()
    position, after = (last.position + 1, last.last_record_id) if last else (0, 0)
    for place in range(position, position + AT_ONCE):
        page = statement_page(statement.id, after_id=after)
        if not page:
            roots = kept.order_by("position").values_list("root", flat=True)
            number = ConsentRecord.objects.filter(import_statement_id=statement.id).count()
            whole = statement_root(digest(statement), merkle_root(roots))
            chain.append(whole, statement=statement, records=number + 1)
            return
        after = page[-1].id
        batch = _batch(chain.organization_id, page)
        batch.import_statement_id, batch.position = statement.id, place
        batch.save()


_SEALER_LOCK = 4_711


def _unsealed_statement() -> ImportStatement | None:
    sealed = ConsentSeal.objects.exclude(import_statement_id=None).values("import_statement_id")
    waiting = ImportStatement.objects.exclude(completed_at=None).exclude(id__in=sealed)
    found: ImportStatement | None = waiting.order_by("id").first()
    return found


def _unsealed_records() -> list[ConsentRecord]:
    last = ConsentSeal.objects.exclude(record_id=None).order_by("-sequence").first()
    at = (last.transaction_id, last.record_id) if last else (0, 0)
    oldest_open = oldest_open_transaction()
    records = ConsentRecord.objects.filter(import_statement_id=None, transaction_id__lt=oldest_open)
    if last is not None and (last.transaction_id or 0) >= oldest_open:
        # A dump that was restored elsewhere, where transactions are counted anew: what is new has newer ids.
        newest = ConsentSeal.objects.exclude(record_id=None).aggregate(newest=Max("record_id"))["newest"]
        return list(records.filter(id__gt=newest).order_by("transaction_id", "id")[:BATCH])
    after = records.extra(where=["(transaction_id, id) > (%s, %s)"], params=list(at))
    return list(after.order_by("transaction_id", "id")[:BATCH])


def check_ledger(*, now: datetime) -> Verdict:
    """Walk the chain of the organization in scope against its records and what was exported, and remember it.

    What is kept of each phone is held against its records as well. Where something is not as it was sealed, those who
    answer for the organization are told.
    """
    organization_id = current_organization_id()
    before = last_check()
    found = verify(exported_links(organization_id), lambda sequence: exported_leaves(organization_id, sequence))
    if before is not None and found.exported < before.exported:
        found.add(
            found.links,
            f"{before.exported} links lay outside the database when this was last checked, {found.exported} do now: "
            "the folder was emptied or is another one (CONSENT_HEADS_DIR)",
        )
    for difference in islice(differences(), MOST_FINDINGS):
        found.add(found.links, f"what is kept of {difference}")
    LedgerCheck.objects.create(
        organization_id=organization_id,
        checked_at=now,
        links=found.links,
        records=found.records,
        exported=found.exported,
        findings=[str(finding) for finding in found.findings],
    )
    if not found.unbroken:
        first = found.findings[0]
        log.error("ledger_broken", organization=organization_id, link=first.sequence, record=first.record_id)
        notify(
            tone=Notice.Tone.TO_DO,
            text="The daily check of your consent records found something that is not as it was sealed. The consent "
            "register says what. Ask whoever runs this installation before you rely on them.",
            permission=Permission.SETTINGS_EDIT,
            now=now,
        )
    return found


def mend_projection() -> int:
    """Set consents and opt-outs of the organization in scope to what their records come to; return of how many phones.

    What only the state knows (how long a conversation stays open) is kept where it does not differ. An opt-out without
    a record stays: whom nobody can prove to have come back is not texted.
    """
    return sum(_mend(difference.phone) for difference in differences())


def _mend(phone: str) -> bool:
    """Set one phone right, by what its records say now that nobody else writes of it."""
    list(OptOut.objects.select_for_update(no_key=True).filter(phone=phone))
    list(ConsentState.objects.select_for_update(no_key=True).filter(phone=phone).order_by("program_id"))
    found = differences_of([phone])
    if not found:
        return False
    (difference,) = found
    facts = {"organization": current_organization_id(), "phone": phone}
    for program_id, standing in difference.due.programs.items():
        run(
            _SET_STATE,
            facts
            | {"program": program_id, "granted": standing.granted, "stopped": standing.stopped}
            | {"changed_at": standing.changed_at},
        )
    unknown = [program_id for program_id in difference.kept.programs if program_id not in difference.due.programs]
    ConsentState.objects.filter(phone=phone, program_id__in=unknown).delete()
    said = ConsentRecord.objects.filter(phone=phone, action__in=[Action.STOP, Action.START]).order_by("-id").first()
    stopped = OptOut.objects.filter(phone=phone)
    if said is not None and said.action == Action.STOP:
        stopped.update_or_create(
            phone=phone,
            defaults={"organization_id": said.organization_id, "opted_out_at": said.occurred_at, "lifted_at": None},
            create_defaults={
                "organization_id": said.organization_id,
                "source": _SOURCES.get(said.medium, OptOut.Source.KEYWORD),
                "opted_out_at": said.occurred_at,
                "inbound_sid": said.inbound_sid,
            },
        )
    elif said is not None:
        stopped.filter(lifted_at=None).update(lifted_at=said.occurred_at)
    return True


_SOURCES = {source.value: source for source in OptOut.Source}

_SET_STATE = """
INSERT INTO consent_consentstate (organization_id, phone, program_id, granted, changed_at, stopped)
VALUES (%(organization)s, %(phone)s, %(program)s, %(granted)s, %(changed_at)s, %(stopped)s)
ON CONFLICT (organization_id, phone, program_id)
DO UPDATE SET granted = excluded.granted, changed_at = excluded.changed_at, stopped = excluded.stopped
"""
