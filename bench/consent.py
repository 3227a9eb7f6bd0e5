"""The proof of consent at scale: a ledger of 10,000 and of 1,000,000 records sealed and walked, and one person's pack.

The person of the pack is one of the import, with 1,000 texts in either direction and 60 records of their own: limit two
seconds (F2: one click answers a complaint).
"""

import resource
import time
from collections.abc import Callable
from datetime import timedelta

from bench.report import line, note
from bench.tenant import ACTOR, BenchTenant, analyze, make_tenant
from common.clock import now
from common.sql import run as execute
from common.tenancy import organization_scope
from consent.actions import complete_statement, grant_by_import, seal_organization, state_import
from consent.models import ConsentSeal
from consent.queries import verify
from consent.rules.media import Medium
from consent.tasks import export_heads
from dashboard.actions import make_evidence_pack

SIZES = (10_000, 1_000_000)
PAGE = 5_000
TEXTS, RECORDS, PACKS = 1_000, 60, 10
LIMIT_SECONDS = 2.0
PERSON = "+12052000000"


def run() -> None:
    for size in SIZES:
        tenant = make_tenant(credits=1_000)
        _import(tenant, size)
        seconds = _timed(_seal, tenant)
        line("consent", f"seal {size}", size / seconds, "records/s", n=size)
        export_heads()
        seconds = _timed(_walk, tenant, size)
        line("consent", f"walk {size}", size / seconds, "records/s", n=size, peak_mib=_peak_mib())
        _write_history(tenant)
        _seal(tenant)
        analyze()
        packs = sorted(_timed(_pack, tenant) for _ in range(PACKS))
        line("consent", f"pack {size}", packs[-1] * 1000, "ms, slowest", n=PACKS, reference=LIMIT_SECONDS * 1000)
        if packs[-1] > LIMIT_SECONDS:
            note(f"a pack took {packs[-1]:.1f} s, beyond its limit of {LIMIT_SECONDS:.0f} s")


def _timed(work: Callable[..., None], *given: object) -> float:
    begin = time.monotonic()
    work(*given)
    return time.monotonic() - begin


def _import(tenant: BenchTenant, size: int) -> None:
    with organization_scope(tenant.organization.id):
        statement = state_import(
            program=tenant.program,
            medium=Medium.PAPER_FORM,
            agreed_at=now(),
            how="on paper",
            actor=ACTOR,
            now=now(),
        )
    for first in range(0, size, PAGE):
        phones = [f"+1{2_052_000_000 + number}" for number in range(first, first + PAGE)]
        with organization_scope(tenant.organization.id):
            grant_by_import(statement, phones, now=now())
    with organization_scope(tenant.organization.id):
        complete_statement(statement, now=now())


def _seal(tenant: BenchTenant) -> None:
    more = True
    while more:
        with organization_scope(tenant.organization.id):
            more = seal_organization(now=now())


def _walk(tenant: BenchTenant, size: int) -> None:
    with organization_scope(tenant.organization.id):
        found = verify([], lambda _: [])
        assert found.unbroken, found.findings
        assert found.records == size


def _write_history(tenant: BenchTenant) -> None:
    """What one person wrote and got, and went back and forth about."""
    facts = {
        "organization": tenant.organization.id,
        "number": tenant.number.id,
        "account": tenant.number.carrier_account_id,
        "program": tenant.program.id,
        "phone": PERSON,
        "texts": TEXTS,
        "records": RECORDS,
        "now": now(),
        "then": now() - timedelta(days=100),
    }
    with organization_scope(tenant.organization.id):
        for statement in _HISTORY:
            execute(statement, facts)


_HISTORY = (
    """
INSERT INTO messaging_inboundtext (organization_id, sender_number_id, carrier_account_id, sid, phone, body, received_at)
SELECT %(organization)s, %(number)s, %(account)s, 'SM' || %(organization)s || '-' || n, %(phone)s,
    'When do you open on day ' || n || '?', %(then)s::timestamptz + n * interval '1 minute'
FROM generate_series(1, %(texts)s) AS n
""",
    """
INSERT INTO consent_consentrecord
    (organization_id, phone, program_id, action, occurred_at, medium, note, actor_label, recorded_at)
SELECT %(organization)s, %(phone)s, %(program)s, CASE n %% 2 WHEN 0 THEN 'GRANT' ELSE 'WITHDRAW' END,
    %(then)s::timestamptz + n * interval '1 hour', 'PAPER_FORM', 'told us at the counter', 'Olivia', %(now)s
FROM generate_series(1, %(records)s) AS n
""",
)


def _pack(tenant: BenchTenant) -> None:
    with organization_scope(tenant.organization.id):
        assert ConsentSeal.objects.exists()
        assert len(make_evidence_pack(PERSON, actor=ACTOR, now=now())) > 10_000


def _peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
