"""The main job: import a file, quote, launch, watch, report."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

from django.core.files.base import ContentFile, File
from django.db.models import Sum
from PIL import Image
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from audiences.queries import Audience
from billing.models import CreditEntry
from billing.queries import current_account
from campaigns.actions import add_outreach, create_campaign, launch_outreach, quote_outreach
from campaigns.models import Outreach
from campaigns.queries import Progress as OutreachProgress
from campaigns.queries import outreach_progress
from common.clock import now
from common.tenancy import organization_scope
from config.demo.seed import Tenant
from config.stack import Stack
from consent.rules.media import Medium
from contacts.actions import ImportWish, request_import
from contacts.models import Import
from contacts.queries import import_by_id
from content.actions import store_file
from content.models import FileKind, Job
from messaging.rules.states import HANDED_OVER, OPEN, State

BODY = "Hello {{ first_name|neighbor }}, this is {{ organization }}. Our office hours changed: we now open at 8 am."
ResultT = TypeVar("ResultT")

POLL_SECONDS = 0.1
PATIENCE_SECONDS = 120.0


class DemoFailed(RuntimeError):
    """The walk could not be finished; the text says where."""


@dataclass(slots=True)
class Report:
    """What the walk came to, in the order it is printed."""

    rows: int
    contacts: int
    duplicates: int
    invalid: int
    recipients: int
    skipped: int
    handed_over: int
    delivered: int
    undelivered: int
    unknown: int
    texted_twice: int
    over_rate_seconds: int
    credits_quoted: int
    credits_captured: int
    credits_held: int
    seconds: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def progress_bars(console: Any) -> Progress:
    return Progress(
        TextColumn("{task.description:<22}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    )


def _picture_of_the_form() -> "File[bytes]":
    picture = BytesIO()
    Image.new("RGB", (64, 64), "white").save(picture, "PNG")
    return ContentFile(picture.getvalue(), name="form.png")


def import_file(tenant: Tenant, path: Path, stack: Stack, bars: Progress) -> Import:
    """Import a contacts file with its consent statement, as a job of the workers."""
    with organization_scope(tenant.organization.id), path.open("rb") as content:
        stored = store_file(
            kind=FileKind.IMPORT,
            name=path.name,
            content_type="text/csv",
            chunks=iter(lambda: content.read(1024 * 1024), b""),
            actor=tenant.owner,
            now=now(),
        )
        requested = request_import(
            stored,
            ImportWish(
                program=tenant.program,
                medium=Medium.WEB_FORM,
                agreed_at=now(),
                how="They ticked the box for office updates on our web page.",
                evidence=_picture_of_the_form(),
            ),
            actor=tenant.owner,
            now=now(),
        )
    lines = max(sum(1 for _ in path.open("rb")) - 1, 1)
    bar = bars.add_task("Importing contacts", total=lines)

    def finished() -> Import | None:
        with organization_scope(tenant.organization.id):
            found = import_by_id(requested.id)
        bars.update(bar, completed=found.job.done)
        if found.job.state == Job.State.FAILED:
            raise DemoFailed(found.job.message)
        return found if found.job.state == Job.State.DONE else None

    done = wait_for(finished, stack, what="the import")
    bars.update(bar, total=done.rows, completed=done.rows)
    return done


def start_campaign(tenant: Tenant, bars: Progress, *, body: str = BODY) -> Outreach:
    """Draft, quote and launch a campaign to everybody."""
    with organization_scope(tenant.organization.id):
        campaign = create_campaign(
            name="New office hours",
            program=tenant.program,
            number=tenant.numbers[0],
            body=body,
            actor=tenant.owner,
            now=now(),
        )
        outreach = add_outreach(campaign, Audience(), actor=tenant.owner, now=now())
    bar = bars.add_task("Quoting", total=None)
    quote_id = quote_outreach(
        organization_id=tenant.organization.id,
        outreach_id=outreach.id,
        now=now(),
        on_progress=lambda done: bars.update(bar, completed=done),
    )
    with organization_scope(tenant.organization.id):
        launched = launch_outreach(outreach.id, quote_id=quote_id, actor=tenant.owner, now=now())
    people = launched.recipients + launched.excluded
    bars.update(bar, total=people, completed=people)
    return launched


def watch(tenant: Tenant, outreach: Outreach, stack: Stack, bars: Progress) -> OutreachProgress:
    """Wait until the campaign is through, its credits are settled and every receipt is in."""
    sending = bars.add_task("Sending", total=outreach.recipients)
    receipts = bars.add_task("Receipts", total=outreach.recipients)

    def through() -> OutreachProgress | None:
        with organization_scope(tenant.organization.id):
            progress = outreach_progress(outreach.id)
            settled = Outreach.objects.values_list("settled_at", flat=True).get(id=outreach.id) is not None
        decided = sum(counts.messages for state, counts in progress.outcomes.items() if state not in OPEN)
        waiting = progress.messages(State.ACCEPTED, State.SENT)
        bars.update(sending, completed=decided)
        bars.update(receipts, completed=decided - waiting)
        return progress if settled and not waiting else None

    return wait_for(through, stack, what="the campaign", seconds=PATIENCE_SECONDS + outreach.segments / 50)


def report(tenant: Tenant, done: Import, progress: OutreachProgress, stack: Stack, seconds: float) -> Report:
    verdict = stack.simulator.record([number.sender for number in tenant.numbers])
    with organization_scope(tenant.organization.id):
        account = current_account()
    return Report(
        rows=done.rows,
        contacts=done.created + done.updated,
        duplicates=done.duplicates,
        invalid=done.invalid,
        recipients=progress.total,
        skipped=sum(progress.exclusions.values()) + progress.messages(State.SKIPPED),
        handed_over=progress.handed_over,
        delivered=progress.messages(State.DELIVERED),
        undelivered=progress.messages(State.UNDELIVERED),
        unknown=progress.messages(State.UNKNOWN),
        texted_twice=verdict["texted_twice"],
        over_rate_seconds=verdict["over_rate_seconds"],
        credits_quoted=progress.credits_quoted,
        credits_captured=progress.credits_captured,
        credits_held=account.held,
        seconds=round(seconds, 1),
    )


def broken_invariants(tenant: Tenant, progress: OutreachProgress, figures: Report, stack: Stack) -> list[str]:
    """Which of the invariants of docs/architecture.md the figures contradict, in words; none where all hold."""
    accepted = stack.simulator.record([number.sender for number in tenant.numbers])["accepted"]
    handed_over_credits = sum(counts.credits for state, counts in progress.outcomes.items() if state in HANDED_OVER)
    with organization_scope(tenant.organization.id):
        account = current_account()
        sums = CreditEntry.objects.aggregate(amount=Sum("amount"), held=Sum("held"))
    checks = {
        "somebody was texted twice": figures.texted_twice == 0,
        "a second was above the number's speed": figures.over_rate_seconds == 0,
        "the carrier was handed something else than we wrote down": accepted == figures.handed_over + figures.unknown,
        "somebody of the audience has no outcome": progress.audience
        == sum(progress.exclusions.values()) + progress.total,
        "something is still open": not any(state in progress.outcomes for state in OPEN),
        "the charge is not what was handed over": figures.credits_captured == handed_over_credits,
        "the charge is above the quote": figures.credits_captured <= figures.credits_quoted,
        "credits are still held": figures.credits_held == 0,
        "the ledger does not add up": (sums["amount"], sums["held"]) == (account.balance, account.held),
    }
    return [words for words, holds in checks.items() if not holds]


def wait_for(
    check: Callable[[], ResultT | None], stack: Stack, *, what: str, seconds: float = PATIENCE_SECONDS
) -> ResultT:
    """Poll until there is a result. Raises DemoFailed, or ProcessEnded where a process has died meanwhile."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = check()
        if result is not None:
            return result
        stack.supervisor.check()
        time.sleep(POLL_SECONDS)
    raise DemoFailed(f"{what} was not through after {seconds:.0f} s")
