"""A backup that was taken while sending is put back: nobody is texted twice, and who said STOP meanwhile stays so."""

import json
import os
import subprocess
import time
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connections

from common.clock import now
from common.tenancy import across_organizations, organization_scope
from config.embedded import _postgres_binaries
from config.stack import Stack
from consent.queries import is_opted_out
from messaging.models import DispatchGuard
from messaging.rules.states import OPEN, State
from senders.models import CarrierAccount
from tests.faults.conftest import Chance, Sender, wait
from tests.servers import DATA

pytestmark = [pytest.mark.fault, pytest.mark.slow]

USERS = ("worker", "consumers", "jobs", "beat", "carrier-endpoint")
"""The processes that use the database."""


def test_a_backup_put_back_while_sending_texts_nobody_twice(
    stack: Stack, sender: Sender, chance: Chance, tmp_path: Path
) -> None:
    sender.launch()
    sender.handed_over(int(chance.between(50, 150)))
    with across_organizations(because="there is one database"):
        # As on an installation older than five minutes, whose carriers all answer: those of other tests are gone.
        assert DispatchGuard.objects.update(cleared_at=now() - timedelta(hours=1)) == 1
        CarrierAccount.objects.update(base_url=stack.simulator.base_url)
    taken = now()
    backup = tmp_path / "backup"
    _postgres("pg_dump", "--format=custom", f"--file={backup}")
    sender.handed_over(int(chance.between(180, 320)))
    phone = stack.simulator.texts(sender.number.sender)[-1]["to"]
    stack.simulator.answer(phone=phone, sender=sender.number.sender, body="STOP")
    wait(lambda: _stopped(sender, phone))
    ports = {kind: stack.processes[kind].port for kind in USERS}
    for kind in USERS:
        stack.supervisor.end(stack.processes[kind])
    connections.close_all()
    _postgres("pg_restore", "--clean", "--if-exists", "--single-transaction", str(backup))
    assert not _stopped(sender, phone), "the backup does not know of it"
    for kind in USERS:
        stack.processes[kind] = stack.supervisor.start(kind, port=ports[kind])
    stack.supervisor.wait_until_healthy()
    wait(_locked)
    before = len(stack.simulator.texts(sender.number.sender))
    time.sleep(2)
    assert len(stack.simulator.texts(sender.number.sender)) == before, "nothing is sent while it is locked"
    said = StringIO()
    call_command("after_restore", f"--since={taken.isoformat()}", stdout=said)
    assert "Dispatch goes on" in said.getvalue()
    assert _stopped(sender, phone)
    # Receipts that came in between are lost with the backup: those texts are closed as "no receipt" after three days.
    progress = sender.wait_for(
        lambda seen: not seen.messages(*OPEN) and seen.credits_held == 0, seconds=60, what="the campaign"
    )
    sender.prove()
    assert progress.handed_over + progress.messages(State.UNCONFIRMED, State.SKIPPED) == 500
    assert progress.messages(State.UNCONFIRMED) == 0
    assert not _locked()


def _stopped(sender: Sender, phone: str) -> bool:
    with organization_scope(sender.tenant.organization.id):
        return is_opted_out(phone)


def _locked() -> bool:
    with across_organizations(because="there is one database"):
        return bool(DispatchGuard.objects.values_list("locked_for", flat=True).get(id=1))


def _postgres(tool: str, *arguments: str) -> None:
    """Run a tool of PostgreSQL on the tests' database, as superuser."""
    where = connections["default"].settings_dict
    password = json.loads((DATA / "postgres" / "passwords.json").read_text())["postgres"]
    subprocess.run(
        [
            str(_postgres_binaries() / tool),
            *(f"--host={where['HOST']}", f"--port={where['PORT']}", "--username=postgres"),
            *(f"--dbname={where['NAME']}", *arguments),
        ],
        env=os.environ | {"PGPASSWORD": password},
        check=True,
    )
