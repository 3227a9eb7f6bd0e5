"""From the confirmation to messages: rendered, measured, checked, written by a worker; and when the first one left."""

import gc
import time
from decimal import Decimal
from pathlib import Path

from django.conf import settings

from audiences.queries import Audience
from bench.report import line, middle, note, peak_mib
from bench.tenant import ACTOR, BenchTenant, add_people, analyze, make_tenant
from campaigns.actions import add_outreach, create_campaign, launch_outreach, quote_outreach
from campaigns.models import Outreach
from common.clock import now
from common.tenancy import organization_scope
from config.stack import Stack
from messaging.models import Message
from senders.models import SenderNumber

SIZES = (10_000, 100_000, 1_000_000)
WANTED = 50_000.0
BODY = "Hello {{ first_name|there }} {{ last_name }}, {{ company }} has news for {{ city|you }}: come by."
RATE = Decimal(100)
"""Of the number: the launch alone is measured, not the sending."""


def run() -> None:
    gc.freeze()
    with Stack(Path(settings.DATA_DIR) / "logs", without=("web", "carrier-endpoint", "carriersim")) as stack:
        time.sleep(6)
        for size in SIZES:
            rounds = [_round(size) for _ in range(1 if size > 100_000 else 3)]
            value = middle([recipients / written for _, written, recipients in rounds])
            line(
                "launch",
                str(size),
                value,
                "recipients/s",
                reference=WANTED,
                reference_is="wanted",
                ratio=round(value / WANTED, 2),
                first_send_seconds=round(max(first for first, _, _ in rounds), 2),
                n=len(rounds),
                processes=2,
                peak_mib=peak_mib(stack.processes["jobs"].pid),
            )


def _round(size: int) -> tuple[float, float, int]:
    """Seconds from the confirmation to the first hand-over, and until the last message was written; how many."""
    tenant = make_tenant(credits=size * 2)
    add_people(tenant, size)
    analyze()
    outreach = _quoted(tenant)
    assert outreach.quote_id is not None
    note(f"{outreach.recipients} recipients quoted")
    begin = time.monotonic()
    with organization_scope(tenant.organization.id):
        launch_outreach(outreach.id, quote_id=outreach.quote_id, actor=ACTOR, now=now())
    first = written = 0.0
    while not (first and written):
        with organization_scope(tenant.organization.id):
            elapsed = time.monotonic() - begin
            if not first and Message.objects.filter(campaign_id=outreach.campaign_id, captured=True).exists():
                first = elapsed
            if not written and Outreach.objects.filter(id=outreach.id, written_at__isnull=False).exists():
                written = elapsed
        time.sleep(0.1 if first else 0.02)
        assert elapsed < 200
    with organization_scope(tenant.organization.id):
        assert Message.objects.filter(campaign_id=outreach.campaign_id).count() == outreach.recipients
        SenderNumber.objects.update(status="SUSPENDED")
    return first, written, outreach.recipients


def _quoted(tenant: BenchTenant) -> Outreach:
    with organization_scope(tenant.organization.id):
        SenderNumber.objects.update(segments_per_second=RATE)
        campaign = create_campaign(
            name="Bench", program=tenant.program, number=tenant.number, body=BODY, actor=ACTOR, now=now()
        )
        outreach = add_outreach(campaign, Audience(), actor=ACTOR, now=now())
    quote_outreach(organization_id=tenant.organization.id, outreach_id=outreach.id, now=now())
    with organization_scope(tenant.organization.id):
        outreach.refresh_from_db()
    return outreach
