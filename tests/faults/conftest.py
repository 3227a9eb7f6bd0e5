"""Real processes against the simulator, on the tests' own servers; waiting times are seconds here."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Sum

from accounts.models import User
from billing.models import CreditEntry
from billing.queries import current_account
from campaigns.actions import launch_outreach
from campaigns.models import Outreach
from campaigns.queries import Progress, outreach_progress
from common.clock import now
from common.tenancy import organization_scope
from config.demo.seed import Tenant, seed_tenant
from config.processes import Running
from config.stack import Stack
from consent.rules.media import Medium
from contacts.actions import ImportWish, request_import
from contacts.models import Contact, ContactPhone, Import
from contacts.queries import import_by_id
from content.actions import store_file
from content.models import FileKind
from messaging.models import Message
from messaging.rules.states import HANDED_OVER, OPEN, State
from senders.models import SenderKind
from tests.world import World

SECONDS = {
    "CARRIER_TIMEOUT_SECONDS": "3",
    "SWEEP_AFTER_SECONDS": "1",
    "CARRIER_VALIDITY_SECONDS": "3",
    "UNCONFIRMED_AFTER_SECONDS": "2",
    "LOG_LEVEL": "INFO",
}


@pytest.fixture(scope="module")  # not longer: the tests of the clock need processes of their own hour alone
def stack(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder: Path = tmp_path_factory.mktemp("logs")
    with django_db_blocker.unblock(), Stack(folder, environment=SECONDS, without=("web",)) as running:
        running.simulator.set_mood(receipt_delay=0.05)
        yield running


class Chance:
    """Where in its range a moment falls: in the middle, or anywhere when a seed is given, as the soak does."""

    SEED = os.environ.get("CARILLON_SOAK_SEED", "")
    SOAKING = bool(SEED)

    def __init__(self, test: str) -> None:
        self.random = random.Random(f"{self.SEED} {test}")

    def between(self, low: float, high: float) -> float:
        return self.random.uniform(low, high) if self.SOAKING else (low + high) / 2


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> Chance:
    return Chance(request.node.name)


class Sender:
    """A tenant on the running stack, with a campaign to some hundred people of one area code."""

    def __init__(
        self,
        stack: Stack,
        *,
        people: int = 500,
        rate: float | None = 100.0,
        area: int = 205,
        numbers: int = 1,
        kind: SenderKind = SenderKind.TOLL_FREE,
        **tenant: Any,
    ) -> None:
        self.stack = stack
        self.tenant: Tenant = seed_tenant(stack, now=now(), rate=rate, kind=kind, numbers=numbers, **tenant)
        self.number = self.tenant.numbers[0]
        owner = User.objects.get(email=self.tenant.owner_sign_in.email)
        self.world = World(self.tenant.organization, owner, self.tenant.program, self.number, now())
        self.phones = [f"+1{area}{2_000_000 + number:07}" for number in range(people)]
        with self.world.scope(), transaction.atomic():
            mine = {"organization": self.tenant.organization}
            made = Contact.objects.bulk_create(
                Contact(**mine, first_name="Ada", created_at=now(), updated_at=now()) for _ in self.phones
            )
            ContactPhone.objects.bulk_create(
                ContactPhone(**mine, contact=contact, phone=phone)
                for contact, phone in zip(made, self.phones, strict=True)
            )
        self.world.consent(*self.phones)
        self.outreach: Outreach | None = None

    @classmethod
    def of(cls, stack: Stack, tenant: Tenant, world: World) -> "Sender":
        """The same for a tenant that is there already."""
        made = cls.__new__(cls)
        made.stack, made.tenant, made.world, made.number = stack, tenant, world, tenant.numbers[0]
        made.phones, made.outreach = [], None
        return made

    def launch(self, body: str = "Hello {{ first_name }}, we open at eight.") -> Outreach:
        return self.confirm(self.world.campaign(body=body))

    def confirm(self, outreach: Outreach) -> Outreach:
        """Launch what was quoted; the workers write it."""
        assert outreach.quote_id is not None
        with self.world.scope(), transaction.atomic():
            launch_outreach(outreach.id, quote_id=outreach.quote_id, actor=self.tenant.owner, now=now())
        self.outreach = self.world.fresh(outreach)
        return self.outreach

    def progress(self) -> Progress:
        assert self.outreach is not None
        with organization_scope(self.tenant.organization.id):
            return outreach_progress(self.outreach.id)

    def wait_for(self, done: Callable[[Progress], bool], *, seconds: float, what: str) -> Progress:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            progress = self.progress()
            if done(progress):
                return progress
            time.sleep(0.05)
        raise AssertionError(f"{what}: not within {seconds} s, {self.progress().outcomes}")

    def handed_over(self, count: int) -> Progress:
        return self.wait_for(lambda progress: progress.handed_over >= count, seconds=40, what=f"{count} handed over")

    def finish(self, *, seconds: float = 60) -> Progress:
        """Wait until every message is decided, every receipt is in and the reservation is closed."""

        def through(progress: Progress) -> bool:
            waiting = progress.messages(*OPEN, State.ACCEPTED, State.SENT)
            return not waiting and progress.credits_held == 0

        return self.wait_for(through, seconds=seconds, what="the campaign")

    def prove(self) -> dict[str, Any]:
        """The simulator's record against the database: nobody twice, nobody lost, the ledger exact."""
        senders = [number.sender for number in self.tenant.numbers]
        verdict = self.stack.simulator.record(senders)
        progress = self.progress()
        assert verdict["texted_twice"] == 0
        assert verdict["over_rate_seconds"] == 0, verdict
        assert progress.audience == sum(progress.exclusions.values()) + progress.total
        with organization_scope(self.tenant.organization.id):
            handed = set(Message.objects.filter(state__in=HANDED_OVER).values_list("sid", flat=True))
            own = Message.objects.filter(campaign_id=self.outreach.campaign_id, captured=True)  # type: ignore[union-attr]
            captured = own.aggregate(total=Sum("credits"))["total"] or 0
            sums = CreditEntry.objects.aggregate(amount=Sum("amount"), held=Sum("held"))
            account = current_account()
        carried = {text["sid"] for sender in senders for text in self.stack.simulator.texts(sender)}
        assert handed == carried, "what we wrote down is what the carrier was handed"
        assert progress.credits_captured == captured <= progress.credits_quoted
        assert (sums["amount"], sums["held"]) == (account.balance, account.held)
        assert account.held == 0
        return verdict


def begin_import(tenant: Tenant, content: bytes) -> Import:
    """Have a file of contacts read by the workers."""
    with organization_scope(tenant.organization.id), transaction.atomic():
        stored = store_file(
            kind=FileKind.IMPORT, name="p.csv", content_type="text/csv", chunks=[content], actor=tenant.owner, now=now()
        )
        wish = ImportWish(
            program=tenant.program, medium=Medium.WEB_FORM, agreed_at=now(), how="our form", list_name="Everybody"
        )
        return request_import(stored, wish, actor=tenant.owner, now=now())


def import_of(tenant: Tenant, wanted: Import) -> Import:
    """How far it has come."""
    with organization_scope(tenant.organization.id):
        return import_by_id(wanted.id)


@pytest.fixture
def sender(stack: Stack) -> Sender:
    return Sender(stack)


def wait(check: Callable[[], bool], *, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.02)


def restart(stack: Stack, kind: str, *, after: float = 0.0) -> None:
    """SIGKILL a process of the stack and start it again."""
    killed = stack.processes[kind]
    kill(killed)
    stack.supervisor.running.remove(killed)
    time.sleep(after)
    stack.processes[kind] = stack.supervisor.start(kind, port=killed.port)


def kill(process: Running) -> None:
    """SIGKILL a process with all its children."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.process.wait()


def freeze(process: Running) -> None:
    os.killpg(process.pid, signal.SIGSTOP)


def thaw(process: Running) -> None:
    os.killpg(process.pid, signal.SIGCONT)
