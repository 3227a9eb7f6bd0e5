"""From the confirmation to messages: rendered, measured, checked, written by a worker; and when the first one left.

After the largest, its campaign once more with somebody who looks at its pages all the time: while it is written, and
while it sends.
"""

import gc
import time
from decimal import Decimal
from pathlib import Path
from statistics import median, quantiles

from django.conf import settings
from django.test import Client

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
PAGES = ("/campaigns/{}/", "/campaigns/{}/recipients/", "/campaigns/")
LIMIT_MS = 100.0
LOOKS = 40
"""At least, of each page, while it sends."""


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
        _pages_meanwhile(SIZES[-1])


def _pages_meanwhile(size: int) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    tenant = make_tenant(credits=size * 2)
    add_people(tenant, size)
    analyze()
    outreach = _quoted(tenant)
    client = Client()
    client.force_login(tenant.owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    addresses = [page.format(outreach.campaign_id) for page in PAGES]
    for address in addresses:  # what a process does once
        client.get(address)
    _confirm(tenant, outreach)
    for words, goes_on in (
        ("pages while it is written", lambda _: not _is_written(tenant, outreach)),
        ("pages while it sends", lambda looks: looks < LOOKS),
    ):
        times: list[float] = []
        while goes_on(len(times) // len(addresses)):
            for address in addresses:
                begin = time.perf_counter()
                answer = client.get(address, headers={"HX-Request": "true"} if address == addresses[0] else {})
                times.append((time.perf_counter() - begin) * 1000)
                assert answer.status_code == 200
            time.sleep(0.2)
        line(
            "launch",
            words,
            quantiles(times, n=20)[-1],
            "ms at p95",
            reference=LIMIT_MS,
            reference_is="limit",
            median_ms=round(median(times), 1),
            n=len(times),
        )
    with organization_scope(tenant.organization.id):
        SenderNumber.objects.update(status="SUSPENDED")


def _is_written(tenant: BenchTenant, outreach: Outreach) -> bool:
    with organization_scope(tenant.organization.id):
        return Outreach.objects.filter(id=outreach.id, written_at__isnull=False).exists()


def _confirm(tenant: BenchTenant, outreach: Outreach) -> None:
    assert outreach.quote_id is not None
    with organization_scope(tenant.organization.id):
        launch_outreach(outreach.id, quote_id=outreach.quote_id, actor=ACTOR, now=now())


def _round(size: int) -> tuple[float, float, int]:
    """Seconds from the confirmation to the first hand-over, and until the last message was written; how many."""
    tenant = make_tenant(credits=size * 2)
    add_people(tenant, size)
    analyze()
    outreach = _quoted(tenant)
    note(f"{outreach.recipients} recipients quoted")
    begin = time.monotonic()
    _confirm(tenant, outreach)
    first = written = 0.0
    while not (first and written):
        with organization_scope(tenant.organization.id):
            elapsed = time.monotonic() - begin
            if not first and Message.objects.filter(campaign_id=outreach.campaign_id, captured=True).exists():
                first = elapsed
        if not written and _is_written(tenant, outreach):
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
