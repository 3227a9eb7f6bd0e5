"""How many recipients a second are quoted: read, asked for consent, rendered, measured, priced, frozen."""

import gc
import resource
import time

from audiences.queries import Audience
from bench.report import line, middle, note
from bench.tenant import ACTOR, BenchTenant, add_people, analyze, make_tenant
from campaigns.actions import add_outreach, create_campaign, quote_outreach
from campaigns.models import Outreach
from common.clock import now
from common.tenancy import organization_scope

SIZES = (10_000, 100_000, 1_000_000)
WANTED = 100_000.0
BODIES = {
    "plain": "Hello {{ first_name|there }} {{ last_name }}, {{ company }} has news for {{ city|you }}: come by.",
    "emoji": "Hello {{ first_name|there }} {{ last_name }}, {{ company }} has news for {{ city|you }} 🎉 come by.",
}


def run() -> None:
    gc.freeze()  # as a worker does when it starts
    for size in SIZES:
        tenant = make_tenant(credits=1)
        started = time.perf_counter()
        add_people(tenant, size)
        analyze()
        note(f"{size} people made in {time.perf_counter() - started:.0f} s")
        for name, body in BODIES.items():
            outreach = _outreach(tenant, body)
            before = _peak_mib()
            speeds = [_speed(tenant, outreach, size) for _ in range(1 if size > 100_000 else 5)]
            line(
                "quote",
                str(size) if name == "plain" else f"{size} {name}",
                middle(speeds),
                "recipients/s",
                reference=WANTED,
                reference_is="wanted",
                ratio=round(middle(speeds) / WANTED, 2),
                n=len(speeds),
                processes=1,
                peak_mib=_peak_mib(),
                grown_mib=_peak_mib() - before,
            )


def _outreach(tenant: BenchTenant, body: str) -> Outreach:
    with organization_scope(tenant.organization.id):
        campaign = create_campaign(
            name="Bench", program=tenant.program, number=tenant.number, body=body, actor=ACTOR, now=now()
        )
        return add_outreach(campaign, Audience(), actor=ACTOR, now=now())


def _speed(tenant: BenchTenant, outreach: Outreach, size: int) -> float:
    started = time.perf_counter()
    quote_outreach(organization_id=tenant.organization.id, outreach_id=outreach.id, now=now())
    took = time.perf_counter() - started
    with organization_scope(tenant.organization.id):
        outreach.refresh_from_db()
    assert outreach.recipients + outreach.excluded == size, (outreach.recipients, outreach.excluded)
    return size / took


def _peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
