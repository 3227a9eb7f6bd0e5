"""Real processes against the simulator, on the tests' own servers; waiting times are seconds here."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Sum

from accounts.models import User
from billing.models import CreditEntry
from billing.queries import current_account
from campaigns.models import Outreach
from campaigns.queries import Progress, outreach_progress
from common.clock import now
from common.tenancy import organization_scope
from config.demo.seed import Tenant, seed_tenant
from config.processes import Running
from config.stack import Stack
from messaging.models import Message
from messaging.rules.states import HANDED_OVER, OPEN, State
from tests.world import World

SECONDS = {
    "CARRIER_TIMEOUT_SECONDS": "3",
    "SWEEP_AFTER_SECONDS": "1",
    "CARRIER_VALIDITY_SECONDS": "3",
    "UNCONFIRMED_AFTER_SECONDS": "2",
    "LOG_LEVEL": "INFO",
}


@pytest.fixture(scope="module")
def stack(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder: Path = tmp_path_factory.mktemp("logs")
    with django_db_blocker.unblock(), Stack(folder, environment=SECONDS, without=("web",)) as running:
        running.simulator.set_mood(receipt_delay=0.05)
        yield running


class Sender:
    """A tenant on the running stack, with a campaign to some hundred people."""

    def __init__(self, stack: Stack, *, people: int = 500, rate: float = 100.0) -> None:
        self.stack = stack
        self.tenant: Tenant = seed_tenant(stack, now=now(), rate=rate)
        self.number = self.tenant.numbers[0]
        owner = User.objects.get(email=self.tenant.owner_sign_in.email)
        self.world = World(self.tenant.organization, owner, self.tenant.program, self.number, now())
        self.phones = [f"+1205{2_000_000 + number:07}" for number in range(people)]
        for phone in self.phones:
            self.world.add_contact(phone, consent=False, first_name="Ada")
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
        self.outreach = self.world.launch(self.world.campaign(body=body))
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
        verdict = self.stack.simulator.record([self.number.sender])
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
        carried = {text["sid"] for text in self.stack.simulator.texts(self.number.sender)}
        assert handed == carried, "what we wrote down is what the carrier was handed"
        assert progress.credits_captured == captured <= progress.credits_quoted
        assert (sums["amount"], sums["held"]) == (account.balance, account.held)
        assert account.held == 0
        return verdict


@pytest.fixture
def sender(stack: Stack) -> Sender:
    return Sender(stack)


def kill(process: Running) -> None:
    """SIGKILL a process with all its children."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.process.wait()


def freeze(process: Running) -> None:
    os.killpg(process.pid, signal.SIGSTOP)


def thaw(process: Running) -> None:
    os.killpg(process.pid, signal.SIGCONT)
