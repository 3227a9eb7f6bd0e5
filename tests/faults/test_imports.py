"""An import whose worker dies goes on where it was: never half a row, never twice."""

from datetime import timedelta

import pytest

from common.clock import now
from common.tenancy import organization_scope
from config.stack import Stack
from consent.models import ConsentRecord, ConsentState, ImportStatement
from contacts.models import Contact, ContactPhone, Import, ImportedContact, ListMember
from content.actions import revive_jobs
from content.models import Job
from content.queries import path_of
from tests.faults.conftest import Chance, Sender, begin_import, import_of, restart, wait

pytestmark = pytest.mark.fault

ROWS = 40_000


def test_an_import_whose_worker_is_killed_goes_on_and_writes_nobody_twice(stack: Stack, chance: Chance) -> None:
    tenant = Sender(stack, people=1).tenant
    # One row in a hundred is bad, one the second of its phone.
    rows = "".join(
        f"Person {number},{'12' if number % 100 == 7 else 3342000000 + number - (number % 100 == 9)}\n"
        for number in range(ROWS)
    )
    content = ("First Name,Phone\n" + rows).encode()
    wanted = begin_import(tenant, content)

    def state() -> Import:
        return import_of(tenant, wanted)

    moment = chance.between(5_000, 30_000)
    wait(lambda: state().rows >= moment)
    restart(stack, "jobs")
    assert state().job.state == Job.State.RUNNING, "it was to be killed in the middle"
    revive_jobs(now=now() + timedelta(minutes=2))
    wait(lambda: state().job.state == Job.State.DONE, seconds=60)
    done, bad = state(), ROWS // 100
    assert (done.rows, done.invalid, done.duplicates, done.created) == (ROWS, bad, bad, ROWS - 2 * bad)
    with organization_scope(tenant.organization.id):
        assert Contact.objects.count() == ContactPhone.objects.count() == done.created + 1
        assert ListMember.objects.count() == ImportedContact.objects.count() == done.created
        assert ConsentRecord.objects.filter(import_statement_id=done.statement_id).count() == done.created
        assert ConsentState.objects.filter(granted=True).count() == done.created + 1
        assert done.statement is not None
        assert ImportStatement.objects.get(id=done.statement.id).completed_at is not None
        assert done.error_file is not None
        assert path_of(done.error_file).read_text().count("\n") == bad + 1
