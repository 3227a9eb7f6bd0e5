"""The ledger of consent: what is sealed, and that whatever is changed behind the product's back is found and named."""

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction

from accounts.models import AuditEvent, Notice
from common.sql import fetch_all, run
from common.tenancy import across_organizations
from consent.actions import (
    Noted,
    Wish,
    check_ledger,
    complete_statement,
    grant_by_import,
    mend_projection,
    note_consent,
    opt_out_by_file,
    opt_out_by_staff,
    seal_organization,
    state_import,
    undo_statement,
    withdraw_records,
)
from consent.models import ConsentRecord, ConsentSeal, ConsentState, ImportStatement, LedgerCheck, OptOut, SealedBatch
from consent.queries import Verdict, differences, verify
from consent.queries.ledger import digest
from consent.rules.media import Medium
from consent.rules.seals import EMPTY, chain_hash, leaf, leaves_in, merkle_root
from consent.tasks import export_heads
from content.actions import store_file
from content.models import FileKind
from content.queries import path_of
from tests.servers import DATA
from tests.world import ACTOR, World, build_world

SINGLE, IN_RUN, IMPORTED = "+12052212310", "+12563813450", "+12567346043"
YEARS = timedelta(days=6 * 366)
TABLES = (
    *("consent_consentrecord", "consent_consentseal", "consent_sealedbatch", "consent_importstatement"),
    "consent_programversion",
)


@contextlib.contextmanager
def superuser() -> Iterator[Any]:
    """A connection for which no trigger, no policy and no key stands, committed at the end."""
    password = json.loads((DATA / "postgres" / "passwords.json").read_text())["postgres"]
    address = urlsplit(os.environ["DATABASE_URL"])
    connection = psycopg2.connect(
        host=address.hostname, port=address.port, user="postgres", password=password, dbname=address.path[1:]
    )
    with contextlib.closing(connection), connection, connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        yield cursor


def seal_all(world: World, now: datetime | None = None) -> None:
    """Seal until nothing waits: a transaction open anywhere in the cluster holds the newest records back."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with world.scope():
            if seal_organization(now=now or world.now):
                continue
            (waiting,) = fetch_all(_WAITING, {"organization": world.id})[0]
        if not waiting:
            return
    raise AssertionError("not sealed")


_WAITING = """
SELECT (SELECT count(*) FROM consent_consentrecord r WHERE organization_id = %(organization)s
        AND import_statement_id IS NULL)
    - (SELECT COALESCE(sum(records), 0) FROM consent_consentseal
        WHERE organization_id = %(organization)s AND import_statement_id IS NULL)
    + (SELECT count(*) FROM consent_importstatement i WHERE organization_id = %(organization)s
        AND completed_at IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM consent_consentseal s WHERE s.import_statement_id = i.id))
"""


@pytest.fixture(scope="module")
def ledger(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: Any) -> Iterator[World]:
    """Two single links, a run of many, an import of three batches, two links more; all of it exported."""
    from tests.conftest import NOW

    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.CONSENT_HEADS_DIR", str(tmp_path_factory.mktemp("heads")))
        world = build_world(NOW)
        world.receive(SINGLE, "When do you open?", at=NOW, sid="SM1")
        world.receive(SINGLE, "stop", at=NOW, sid="SM2")
        seal_all(world)
        with world.scope():
            wishes = [Wish(f"+1205555{number:04}", NOW) for number in range(60)]
            opt_out_by_file([*wishes, Wish(IN_RUN, NOW)], actor=ACTOR, now=NOW)
        seal_all(world)
        world.consent(IMPORTED, *(f"+1256555{number:04}" for number in range(2_100)))
        with world.scope():
            ImportStatement.objects.update(completed_at=NOW)
        seal_all(world)
        world.receive("+12564430098", "hello", at=NOW, sid="SM3")
        seal_all(world)
        export_heads()
        yield world


def check(world: World) -> Verdict:
    from consent.gateways.heads import exported_leaves, exported_links

    with world.scope():
        return verify(exported_links(world.id), lambda sequence: exported_leaves(world.id, sequence))


def record_of(world: World, phone: str) -> int:
    with world.scope():
        found: int = ConsentRecord.objects.filter(phone=phone).order_by("id").values_list("id", flat=True)[0]
        return found


def test_an_untouched_ledger_is_unbroken(ledger: World) -> None:
    found = check(ledger)
    assert found.findings == []
    with ledger.scope():
        assert found.records == ConsentRecord.objects.count()
        kinds = [(seal.records, bool(seal.import_statement_id)) for seal in ConsentSeal.objects.order_by("sequence")]
    # The first text, STOP with the withdrawal of the conversation, 61 stops of a file, 2,101 of an import, one more.
    assert kinds == [(1, False), (1, False), (1, False), (61, False), (2_102, True), (1, False)]


@pytest.fixture
def tampered(ledger: World) -> Iterator[Callable[[str], None]]:
    """Run statements as superuser; afterwards everything is as before."""
    with superuser() as cursor:
        for table in TABLES:
            cursor.execute(f"CREATE TABLE kept_{table} AS SELECT * FROM {table} WHERE organization_id = {ledger.id}")

    def tamper(sql: str) -> None:
        with superuser() as cursor:
            cursor.execute(sql)
            assert cursor.rowcount != 0, "the tampering itself must do something"

    yield tamper
    with superuser() as cursor:
        for table in TABLES:
            cursor.execute(
                f"DELETE FROM {table} WHERE organization_id = {ledger.id};"
                f" INSERT INTO {table} SELECT * FROM kept_{table}; DROP TABLE kept_{table}"
            )


CHANGES = [
    "action = CASE action WHEN 'GRANT' THEN 'WITHDRAW' ELSE 'GRANT' END",
    "phone = '+12025550100'",
    "occurred_at = occurred_at - interval '1 second'",
    "actor_label = 'somebody else'",
    "note = 'they asked for it'",
    "recorded_at = recorded_at + interval '1 microsecond'",
    "erased_by_id = 1",
]


@pytest.mark.parametrize("phone", [SINGLE, IN_RUN, IMPORTED])
@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_record_is_named(ledger: World, tampered: Callable[[str], None], phone: str, change: str) -> None:
    record_id = record_of(ledger, phone)
    tampered(f"UPDATE consent_consentrecord SET {change} WHERE id = {record_id}")
    found = check(ledger)
    assert [finding.record_id for finding in found.findings] == [record_id], found.findings


@pytest.mark.parametrize("phone", [SINGLE, IN_RUN, IMPORTED])
def test_a_removed_record_is_named(ledger: World, tampered: Callable[[str], None], phone: str) -> None:
    record_id = record_of(ledger, phone)
    tampered(f"DELETE FROM consent_consentrecord WHERE id = {record_id}")
    assert f"record {record_id} was removed" in str(check(ledger).findings[0])


@pytest.mark.parametrize("phone", [SINGLE, IMPORTED])
def test_a_record_that_is_slipped_in_is_named(ledger: World, tampered: Callable[[str], None], phone: str) -> None:
    record_id = record_of(ledger, phone)
    tampered(
        "INSERT INTO consent_consentrecord (id, organization_id, phone, program_id, action, occurred_at, medium,"
        " import_statement_id, actor_label, recorded_at, transaction_id)"
        " SELECT 9000000000000 + id, organization_id, '+12025550100', program_id, 'GRANT', occurred_at, medium,"
        " import_statement_id, actor_label, recorded_at, transaction_id - 1"
        f" FROM consent_consentrecord WHERE id = {record_id}"
    )
    assert [finding.record_id for finding in check(ledger).findings] == [9_000_000_000_000 + record_id]


def test_a_record_where_nothing_is_ever_sealed_is_named(ledger: World, tampered: Callable[[str], None]) -> None:
    record_id = record_of(ledger, SINGLE)
    tampered(
        "INSERT INTO consent_consentrecord (id, organization_id, phone, program_id, action, occurred_at, medium,"
        " actor_label, recorded_at, transaction_id)"
        " SELECT 9000000000000, organization_id, phone, program_id, 'GRANT', occurred_at, medium, actor_label,"
        f" recorded_at, 1::bigint << 62 FROM consent_consentrecord WHERE id = {record_id}"
    )
    assert [finding.record_id for finding in check(ledger).findings] == [9_000_000_000_000]


def test_other_words_than_those_agreed_to_are_named(ledger: World, tampered: Callable[[str], None]) -> None:
    tampered(f"UPDATE consent_programversion SET opt_in_text = 'All.' WHERE organization_id = {ledger.id}")
    (finding,) = check(ledger).findings
    assert finding.sequence == 5, "the import's link"
    assert f"version 1 of the words of program {ledger.program.id} is not what was agreed to" in str(finding)


@pytest.mark.parametrize(("change", "words"), [(b"another", "was changed"), (None, "is gone")])
def test_a_file_that_proves_something_is_named(
    committed_world: World, now: datetime, change: bytes | None, words: str
) -> None:
    world = committed_world
    with world.scope():
        photo = store_file(
            kind=FileKind.EVIDENCE, name="form.png", content_type="image/png", chunks=[b"png"], actor=ACTOR, now=now
        )
        noted = Noted("signed at the counter", Medium.PAPER_FORM, now, evidence_id=photo.id)
        note_consent(SINGLE, program_id=world.program.id, noted=noted, actor=ACTOR, now=now)
    seal_all(world)
    assert check(world).unbroken
    path = path_of(photo)
    path.unlink()
    if change is not None:
        path.write_bytes(change)
    (finding,) = check(world).findings
    assert f"the file that proves record {record_of(world, SINGLE)} {words}" in str(finding)


def test_a_file_that_proves_an_import_is_named(committed_world: World, now: datetime) -> None:
    world = committed_world
    with world.scope():
        form = store_file(
            kind=FileKind.EVIDENCE, name="page.png", content_type="image/png", chunks=[b"page"], actor=ACTOR, now=now
        )
        statement = state_import(
            program=world.program,
            medium=Medium.WEB_FORM,
            agreed_at=now,
            how="ticked the box",
            evidence=form,
            actor=ACTOR,
            now=now,
        )
        grant_by_import(statement, [SINGLE, IN_RUN], now=now)
        complete_statement(statement, now=now)
    seal_all(world)
    assert check(world).findings == []
    path_of(form).write_bytes(b"another")
    (finding,) = check(world).findings
    assert "was changed" in str(finding)


def test_a_changed_statement_is_named(ledger: World, tampered: Callable[[str], None]) -> None:
    tampered(f"UPDATE consent_importstatement SET how = 'on paper' WHERE organization_id = {ledger.id}")
    assert "import statement" in str(check(ledger).findings[0])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("DELETE FROM consent_consentseal WHERE sequence = 2", "missing"),
        ("DELETE FROM consent_consentseal WHERE sequence > 3", "was exported"),
        ("UPDATE consent_consentseal SET chain_hash = repeat('a', 64) WHERE sequence = 2", "does not follow"),
        ("UPDATE consent_consentseal SET digest = repeat('a', 64) WHERE sequence = 4", "does not follow"),
        ("DELETE FROM consent_sealedbatch WHERE position = 1", "removed|changed|slipped in"),
    ],
)
def test_a_changed_chain_is_found(ledger: World, tampered: Callable[[str], None], change: str, words: str) -> None:
    tampered(f"{change} AND organization_id = {ledger.id}")
    found = check(ledger)
    assert any(any(word in str(finding) for word in words.split("|")) for finding in found.findings), found.findings


@pytest.mark.parametrize("phone", [SINGLE, IN_RUN, IMPORTED])
def test_a_chain_rewritten_as_a_whole_is_found_by_what_was_exported(
    ledger: World, tampered: Callable[[str], None], phone: str
) -> None:
    """The record is changed, and everything that seals it is sealed anew: the database alone agrees with itself."""
    record_id = record_of(ledger, phone)
    tampered(f"UPDATE consent_consentrecord SET action = 'GRANT', program_id = 77 WHERE id = {record_id}")
    tampered(f"DELETE FROM consent_consentseal WHERE organization_id = {ledger.id}")
    with superuser() as cursor:
        cursor.execute(f"DELETE FROM consent_sealedbatch WHERE organization_id = {ledger.id}")
    seal_all(ledger)
    with ledger.scope():
        assert verify([], lambda _: []).findings == []
    assert record_id in [finding.record_id for finding in check(ledger).findings]


def test_a_record_that_was_changed_with_its_digests_is_named_by_what_was_exported(
    ledger: World, tampered: Callable[[str], None]
) -> None:
    """Everything but the link itself, whose root can no longer be told from the digests."""
    record_id = record_of(ledger, IMPORTED)
    tampered(f"UPDATE consent_consentrecord SET note = 'x' WHERE id = {record_id}")
    with ledger.scope():
        batch = SealedBatch.objects.get(import_statement_id__isnull=False, position=0)
        leaves = [
            (one, digest(ConsentRecord.objects.get(id=one)) if one == record_id else own)
            for one, own in leaves_in(bytes(batch.leaves))
        ]
    packed = b"".join(leaf(*one) for one in leaves).hex()
    root = merkle_root(own for _, own in leaves)
    tampered(f"UPDATE consent_sealedbatch SET leaves = '\\x{packed}', root = '{root}' WHERE id = {batch.id}")
    assert record_id in [finding.record_id for finding in check(ledger).findings]


@pytest.mark.parametrize("change", ["leaves = ''", "leaves = '\\x00'", "root = 'no digest'"])
def test_what_is_no_digest_is_a_finding_and_no_error(
    ledger: World, tampered: Callable[[str], None], change: str
) -> None:
    tampered(f"UPDATE consent_sealedbatch SET {change} WHERE organization_id = {ledger.id}")
    found = check(ledger).findings
    assert {finding.sequence for finding in found} >= {4, 5}


def test_a_record_of_an_import_that_never_was_is_named(ledger: World, tampered: Callable[[str], None]) -> None:
    record_id = record_of(ledger, SINGLE)
    tampered(
        "INSERT INTO consent_consentrecord (id, organization_id, phone, program_id, action, occurred_at, medium,"
        " import_statement_id, actor_label, recorded_at)"
        " SELECT 9000000000000, organization_id, '+12025550100', 1, 'GRANT', occurred_at, medium, 9000000000000,"
        f" actor_label, recorded_at FROM consent_consentrecord WHERE id = {record_id}"
    )
    assert [finding.record_id for finding in check(ledger).findings] == [9_000_000_000_000]


def test_nobody_undoes_an_import_unseen(ledger: World, tampered: Callable[[str], None]) -> None:
    of = f"WHERE organization_id = {ledger.id}"
    tampered(f"UPDATE consent_importstatement SET undone_at = now() {of}")
    assert "is said to be undone, and nobody undid it" in str(check(ledger).findings)


def test_nobody_makes_an_undone_import_count_again(committed_world: World, now: datetime) -> None:
    world = committed_world
    world.consent(SINGLE)
    with world.scope():
        statement = ImportStatement.objects.get()
        undo_statement(statement, actor=ACTOR, now=now)
        withdraw_records(statement, after_id=0, limit=10, actor=ACTOR, now=now)
        complete_statement(statement, now=now)
    seal_all(world)
    assert check(world).findings == []
    with superuser() as cursor:
        cursor.execute(f"UPDATE consent_importstatement SET undone_at = NULL WHERE organization_id = {world.id}")
    assert "was undone, and counts again" in str(check(world).findings)


def test_an_import_of_people_who_all_said_stop_is_sealed_as_well(committed_world: World, now: datetime) -> None:
    world = committed_world
    world.receive(SINGLE, "stop", at=now, sid="SM1")
    world.consent(SINGLE)
    with world.scope():
        ImportStatement.objects.update(completed_at=now)
    seal_all(world)
    assert check(world).findings == []


def test_a_folder_of_heads_that_was_emptied_is_a_finding(
    committed_world: World, now: datetime, settings: LazySettings, tmp_path: Path
) -> None:
    world = committed_world
    settings.CONSENT_HEADS_DIR = str(tmp_path)
    world.receive(SINGLE, "hello", at=now, sid="SM1")
    seal_all(world)
    export_heads()
    with world.scope():
        assert check_ledger(now=now).findings == []
    (tmp_path / str(world.id) / "links.jsonl").unlink()
    with world.scope():
        (finding,) = check_ledger(now=now).findings
    assert "1 links lay outside the database when this was last checked, 0 do now" in str(finding)


def test_the_chain_is_a_hash_over_the_one_before(ledger: World) -> None:
    head = EMPTY
    with ledger.scope():
        for seal in ConsentSeal.objects.order_by("sequence"):
            head = chain_hash(head, seal.sequence, seal.digest)
            assert head == seal.chain_hash
        assert seal_organization(now=ledger.now) is False
        assert ConsentSeal.objects.count() == 6


def test_the_command_names_what_it_finds_and_fails(
    ledger: World, tampered: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("verify_consent", organization=ledger.id)
    assert "6 of them held against the export, unbroken" in capsys.readouterr().out
    record_id = record_of(ledger, SINGLE)
    tampered(f"UPDATE consent_consentrecord SET occurred_at = now() WHERE id = {record_id}")
    with pytest.raises(CommandError, match="1 findings"):
        call_command("verify_consent", organization=ledger.id)
    told = capsys.readouterr().out
    assert "BROKEN, first at link 1" in told
    assert f"record {record_id} was changed" in told
    with ledger.scope():
        assert LedgerCheck.objects.latest("id").findings
        assert Notice.objects.filter(text__contains="not as it was sealed").count() == 1


def test_a_torn_line_of_the_export_is_written_again(ledger: World, settings: LazySettings, tmp_path: Path) -> None:
    settings.CONSENT_HEADS_DIR = str(tmp_path)
    export_heads()
    path = tmp_path / str(ledger.id) / "links.jsonl"
    whole = path.read_text()
    path.write_text(whole[:-40])
    export_heads()
    assert check(ledger).unbroken
    assert len(path.read_text().splitlines()) == len(whole.splitlines()) + 1


@pytest.mark.parametrize("table", ["consent_consentrecord", "consent_consentseal", "consent_sealedbatch"])
def test_the_products_roles_change_nothing(ledger: World, table: str) -> None:
    for change in (f"UPDATE {table} SET id = id", f"DELETE FROM {table}"):
        with ledger.scope(), pytest.raises(DatabaseError), transaction.atomic():
            run(change)
        with pytest.raises(DatabaseError), across_organizations(because="this too is refused"):
            run(change)


# Erasing ------------------------------------------------------------------------------------------------------------


def test_erasing_empties_the_records_and_the_seals_hold(committed_world: World, now: datetime) -> None:
    world = committed_world
    world.receive(SINGLE, "hello", at=now, sid="SM1")
    world.receive(SINGLE, "stop", at=now, sid="SM2")
    world.receive(IN_RUN, "hello", at=now, sid="SM3")
    seal_all(world)
    assert erase(world, [SINGLE, IN_RUN], now + YEARS) == 3
    assert check(world).findings == [], "though the erasure itself is not sealed yet"
    seal_all(world, now + YEARS)
    with world.scope():
        assert verify([], lambda _: []).findings == []
        left = list(ConsentRecord.objects.exclude(phone="").values_list("phone", "action"))
        assert left == [(SINGLE, "STOP")], "that they said stop is kept for ever"
        assert OptOut.objects.filter(phone=SINGLE, lifted_at=None).exists()
        assert not ConsentState.objects.exists()
        assert AuditEvent.objects.get(action="consent.erased").facts["records"] == 3
        assert not list(differences())


def erase(world: World, phones: list[str], at: datetime) -> int:
    """As the job of retention does, `at` some moment: what is older than the time of keeping then."""
    with across_organizations(because="the job of retention"):
        values = [world.id, phones, at - YEARS + timedelta(days=1), at]
        ((emptied,),) = fetch_all("SELECT erase_consent(%s, %s, %s, 'six years', 'the clock', %s)", values)
        return int(emptied)


def test_what_was_written_meanwhile_is_not_emptied(committed_world: World, now: datetime) -> None:
    world = committed_world
    world.receive(SINGLE, "hello", at=now, sid="SM1")
    with world.scope():
        noted = Noted("told us", Medium.VERBAL, now + YEARS, 1)
        note_consent(SINGLE, program_id=world.program.id, noted=noted, actor=ACTOR, now=now + YEARS)
    assert erase(world, [SINGLE], now + YEARS) == 0
    with world.scope():
        assert ConsentRecord.objects.filter(phone=SINGLE).count() == 2
        assert ConsentState.objects.filter(phone=SINGLE, granted=True).count() == 2


def test_nobody_hides_a_record_behind_those_that_were_emptied(committed_world: World, now: datetime) -> None:
    world = committed_world
    world.receive(SINGLE, "hello", at=now, sid="SM1")
    world.receive(IN_RUN, "hello", at=now, sid="SM2")
    seal_all(world)
    erase(world, [SINGLE], now + YEARS)
    seal_all(world, now + YEARS)
    assert check(world).findings == []
    record_id = record_of(world, IN_RUN)
    with superuser() as cursor:
        cursor.execute(
            "UPDATE consent_consentrecord r SET phone = '', erased_by_id = e.id FROM consent_consentrecord e"
            f" WHERE r.id = {record_id} AND e.organization_id = {world.id} AND e.action = 'ERASE'"
        )
    assert "emptied others than those that are empty" in " ".join(map(str, check(world).findings))


@pytest.mark.parametrize("phone", [SINGLE, IN_RUN, IMPORTED])
def test_an_erasure_of_another_hand_is_none(ledger: World, tampered: Callable[[str], None], phone: str) -> None:
    """Whoever writes an erasure of their own that fits what they emptied did it before the time of keeping was over."""
    record_id = record_of(ledger, phone)
    tampered(
        "INSERT INTO consent_consentrecord (id, organization_id, phone, program_id, action, occurred_at, medium, note,"
        " actor_label, recorded_at) SELECT 9000000000000, organization_id, '', 0, 'ERASE', occurred_at, 'RETENTION',"
        f" '1 records (' || encode(sha256('{record_id}'), 'hex') || '): six years', 'the clock', recorded_at"
        f" FROM consent_consentrecord WHERE id = {record_id}"
    )
    tampered(f"UPDATE consent_consentrecord SET phone = '', erased_by_id = 9000000000000 WHERE id = {record_id}")
    assert [finding.record_id for finding in check(ledger).findings] == [record_id]


def test_a_stop_is_never_emptied(committed_world: World, now: datetime) -> None:
    world = committed_world
    world.receive(SINGLE, "stop", at=now, sid="SM1")
    world.receive(IN_RUN, "hello", at=now, sid="SM2")
    seal_all(world)
    erase(world, [IN_RUN], now + YEARS)
    with superuser() as cursor:
        of = f"organization_id = {world.id}"
        cursor.execute(
            f"UPDATE consent_consentrecord r SET phone = '', erased_by_id = e.id FROM consent_consentrecord e"
            f" WHERE r.{of} AND r.action = 'STOP' AND e.{of} AND e.action = 'ERASE'"
        )
    found = " ".join(map(str, check(world).findings))
    assert "was emptied, but not after the time of keeping" in found


def test_only_the_platform_may_erase_and_only_through_the_function(world: World, now: datetime) -> None:
    world.consent(SINGLE)
    with world.scope(), pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        run("SELECT erase_consent(%s, %s, %s, '', '', %s)", [world.id, [SINGLE], now, now])
    by_hand = across_organizations(because="by hand")
    with pytest.raises(DatabaseError, match="permission denied"), by_hand, transaction.atomic():
        run("UPDATE consent_consentrecord SET phone = '', erased_by_id = 1")


# The projection -----------------------------------------------------------------------------------------------------


def test_what_is_kept_of_a_phone_can_be_told_from_its_records(world: World, now: datetime) -> None:
    world.consent(SINGLE, IN_RUN, IMPORTED)
    world.receive(SINGLE, "stop", at=now, sid="SM1")
    world.receive(SINGLE, "start", at=now + timedelta(days=1), sid="SM2")
    with world.scope():
        opt_out_by_staff(IN_RUN, actor=ACTOR, now=now)
        assert not list(differences())
        ConsentState.objects.filter(phone=SINGLE, program_id=world.program.id).update(granted=False)
        OptOut.objects.filter(phone=IN_RUN).delete()
        ConsentState.objects.create(
            organization_id=world.id, phone="+12025550100", program_id=world.program.id, granted=True, changed_at=now
        )
        found = [str(difference) for difference in differences()]
        assert len(found) == 3
        assert f"{SINGLE}: program {world.program.id} is not granted, due: granted" in found
        assert f"{IN_RUN}: its records say STOP" in found
        verdict = check_ledger(now=now)
        assert sum("what is kept of" in str(finding) for finding in verdict.findings) == 3
        assert mend_projection() == 3
        assert not list(differences())
        assert OptOut.objects.filter(phone=IN_RUN, source="STAFF", lifted_at=None).exists()


def test_a_walk_is_remembered(world: World, now: datetime) -> None:
    with world.scope():
        assert check_ledger(now=now).unbroken
        assert LedgerCheck.objects.get().findings == []
        assert SealedBatch.objects.count() == 0
