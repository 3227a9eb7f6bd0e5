"""The evidence pack: whole, true, and checkable by whoever gets it."""

import html
import io
import json
import re
import subprocess
import sys
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema
import pytest

from accounts.models import AuditEvent
from common.tenancy import across_organizations
from consent.actions import (
    Noted,
    Trace,
    create_program,
    note_consent,
    open_request,
    undo_statement,
    withdraw_records,
)
from consent.models import ImportStatement
from consent.queries import consent_panel
from consent.rules.media import MEDIA, Level, Medium
from content.actions import store_file
from content.models import FileKind, StoredFile
from content.queries import path_of
from dashboard.actions import erase_old_consent, make_evidence_pack
from dashboard.rules.evidence import for_people
from dashboard.rules.verify_pack import faults
from messaging.actions.settling import Settlement, settle
from messaging.models import InboundText
from messaging.rules.states import State
from tests.architecture.test_isolation import signed_in
from tests.consent.test_ledger import seal_all
from tests.messaging.test_claims import claim, queue, stream_of
from tests.servers import ROOT
from tests.world import ACTOR, World

ADA = "+12567346043"
SCHEMA = json.loads((ROOT / "docs" / "evidence-pack.schema.json").read_text())


def opened(pack: bytes) -> tuple[zipfile.ZipFile, dict[str, Any]]:
    archive = zipfile.ZipFile(io.BytesIO(pack))
    return archive, json.loads(archive.read("evidence.json"))


def pack_of(world: World, phone: str, now: datetime) -> bytes:
    with world.scope():
        return make_evidence_pack(phone, actor=ACTOR, now=now)


@pytest.fixture
def story(committed_world: World, now: datetime) -> World:
    """Imported with others, texted, wrote, said stop, came back, signed a form; all of it sealed."""
    world = committed_world
    world.consent(ADA, *(f"+1256555{number:04}" for number in range(1_500)))
    stream = stream_of(world, now)
    queue(world, stream, [ADA], now, body="Open until eight. Zoë, Привет, 你好 🥐")
    (one,) = claim(world, now, stream)
    with across_organizations(because="as the dispatcher does"):
        settle([Settlement(one.message_id, State.DELIVERED, sid=f"SM{one.message_id}")], now=now)
    for hour, words in enumerate(["When do you open?", "STOP", "START"], 1):
        at = now + timedelta(hours=hour)
        sid = f"SM-{world.id}-{hour}"
        with world.scope():
            InboundText.objects.create(
                organization_id=world.id,
                sender_number_id=world.number.id,
                carrier_account_id=world.number.carrier_account_id,
                sid=sid,
                phone=ADA,
                body=words,
                received_at=at,
            )
        world.receive(ADA, words, at=at, sid=sid)
    with world.scope():
        offers = create_program(
            name="Offers",
            level=Level.PROMOTIONAL,
            brand="Bakery",
            opt_in_text='I agree to get offers by text.\n#strong[no markup] *either* $x$ "quoted"',
            actor=ACTOR,
            now=now,
        )
        photo = store_file(
            kind=FileKind.EVIDENCE, name="form.png", content_type="image/png", chunks=[b"png"], actor=ACTOR, now=now
        )
        noted = Noted("signed at the counter", Medium.PAPER_FORM, now, evidence_id=photo.id)
        note_consent(ADA, program_id=offers.id, noted=noted, actor=ACTOR, now=now + timedelta(hours=4))
        ImportStatement.objects.update(completed_at=now)
    seal_all(world)
    return world


def test_a_pack_is_whole_and_fits_its_schema(story: World, now: datetime) -> None:
    archive, facts = opened(pack_of(story, ADA, now + timedelta(days=1)))
    jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker()).validate(facts)
    actions = [record["action"] for record in facts["records"]]
    assert sorted(actions) == ["GRANT"] * 5 + ["START", "STOP", "WITHDRAW", "WITHDRAW"]
    assert all(record["seal"] for record in facts["records"])
    assert facts["opted_out"]["came_back_at"]
    assert [text["body"] for text in facts["texts"]][1:] == ["When do you open?", "STOP", "START"]
    (signed,) = [record for record in facts["records"] if record["evidence"]]
    assert archive.read(signed["evidence"]["file"]) == b"png"
    (imported,) = [record for record in facts["records"] if record["import"]]
    assert len(imported["seal"]["path"]) >= 8, "one of 1,501 records of its link"
    assert archive.read("evidence.pdf")[:5] == b"%PDF-"
    with story.scope():
        assert AuditEvent.objects.filter(action="evidence.made").count() == 1


def test_whoever_gets_it_can_check_it_and_every_change_shows(story: World, now: datetime, tmp_path: Path) -> None:
    archive, facts = opened(pack_of(story, ADA, now))
    archive.extractall(tmp_path)
    command = [sys.executable, "-I", "verify.py", "evidence.json"]
    assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 0
    changes: list[tuple[str, Any]] = [("action", "WITHDRAW"), ("occurred_at", "2020-01-01T00:00:00+00:00"), ("id", 1)]
    for place in range(len(facts["records"])):
        for name, value in changes:
            for where in (facts["records"][place], facts["records"][place]["sealed_form"]):
                if where[name] != value:
                    before, where[name] = where[name], value
                    assert len(faults(facts, tmp_path)) == 1, (place, name)
                    where[name] = before
        seal = facts["records"][place]["seal"]
        before, seal["former_hash"] = seal["former_hash"], "a" * 64
        assert faults(facts, tmp_path)
        seal["former_hash"] = before
    assert faults(facts, tmp_path) == []


def test_words_files_and_statements_are_bound_as_well(story: World, now: datetime, tmp_path: Path) -> None:
    archive, facts = opened(pack_of(story, ADA, now))
    archive.extractall(tmp_path)
    (signed,) = [record for record in facts["records"] if record["evidence"]]
    (imported,) = [record for record in facts["records"] if record["import"]]

    def names(record: dict[str, Any], words: str) -> bool:
        return f"record {record['id']} {words}" in faults(facts, tmp_path)

    for record in (signed, imported):
        (program,) = [program for program in facts["programs"] if program["id"] == record["program"]]
        before, program["versions"][0]["words"] = program["versions"][0]["words"], "I agree to everything."
        assert names(record, "was given to other words")
        program["versions"][0]["words"] = before
    before, imported["import"]["how"] = imported["import"]["how"], "a list that we bought"
    assert names(imported, "comes from an import that did not state this")
    imported["import"]["how"] = before
    photo = tmp_path / signed["evidence"]["file"]
    photo.write_bytes(b"another")
    assert names(signed, "is proven by another file")
    photo.unlink()
    assert names(signed, "had a file that proves it, which is missing")


def test_an_import_that_was_undone_is_no_proof_and_says_so(story: World, now: datetime) -> None:
    at = now + timedelta(days=1)
    with story.scope():
        statement = ImportStatement.objects.earliest("id")
        undo_statement(statement, actor=ACTOR, now=at)
        withdraw_records(statement, after_id=0, limit=5_000, actor=ACTOR, now=at)
        (shown,) = consent_panel(ADA).informational
    assert shown.medium == MEDIA[Medium.KEYWORD].label, "START brought it back: that is the proof which is left"
    facts = opened(pack_of(story, ADA, at))[1]
    words = for_people(facts, ZoneInfo("UTC"), ADA)
    (imported,) = [record for record in words["records"] if dict(record["lines"]).get("Stated by")]
    assert dict(imported["lines"])["Undone"].startswith("The import was taken back on November 25, 2026")
    assert words["state_words"].startswith("Not opted out: said stop on November 24, 2026")
    register = signed_in(story).get(f"/consent/?phone={ADA[1:]}").content.decode()
    assert "the import was undone, and counts for nothing" in register


def test_why_somebody_was_asked_to_confirm_is_told_whether_they_answered_or_not(world: World, now: datetime) -> None:
    with world.scope():
        open_request(
            world.program,
            ADA,
            sender_number_id=world.number.id,
            medium=Medium.WEB_FORM,
            basis="Asked for it on our page",
            asked_for_at=now,
            actor_label=ADA,
            now=now,
            trace=Trace(source_url="https://bakery.example/join", ip_address="203.0.113.7"),
        )
    facts = opened(pack_of(world, ADA, now))[1]
    jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker()).validate(facts)
    (request,) = facts["requests"]
    assert (request["basis"], request["ip_address"]) == ("Asked for it on our page", "203.0.113.7")
    (told,) = for_people(facts, ZoneInfo("UTC"), ADA)["requests"]
    assert ("Why", "Asked for it on our page") in told["lines"]
    erase_old_consent(world.id, actor=ACTOR, now=now + timedelta(days=365 * 6 + 3))
    assert opened(pack_of(world, ADA, now))[1]["requests"] == []


def test_a_phone_of_which_nothing_is_known_has_a_pack_too(world: World, now: datetime) -> None:
    _, facts = opened(pack_of(world, "+12025550100", now))
    jsonschema.validate(facts, SCHEMA)
    assert (facts["records"], facts["texts"], facts["opted_out"]) == ([], [], None)


def test_the_register_finds_a_phone_and_hands_out_its_pack(world: World, now: datetime) -> None:
    world.add_contact(ADA, first_name="Ada")
    client = signed_in(world)
    page = client.get("/consent/?phone=256 734 6043").content.decode()
    assert "Ada" in page
    assert "Agreed: Updates" in page
    assert "is no phone number" in client.get("/consent/?phone=12").content.decode()
    assert client.get("/consent/").status_code == 200
    answer = client.post("/consent/evidence/", {"phone": ADA})
    assert answer["Content-Type"] == "application/zip"
    _, facts = opened(answer.content)
    assert facts["phone"] == ADA
    assert client.post("/consent/evidence/", {"phone": "12"}).status_code == 302
    world.fill_search()
    page = client.get("/consent/?phone=ada").content.decode()
    assert "People found for “ada”" in page
    assert "?phone=%2B12567346043" in page
    assert "none of your contacts is called so" in client.get("/consent/?phone=zacharias").content.decode()
    with world.scope():
        read, made = AuditEvent.objects.filter(action__in=["register.read", "evidence.made"]).order_by("id")
    assert read.facts["phone"] == made.facts["phone"] == ADA


def test_the_register_is_narrowed_and_leafed_through(
    world: World, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consent.queries.register.ROWS", 2)
    for minute, phone in enumerate([ADA, "+12567346044", "+12567346045"]):
        world.receive(phone, "stop", at=now + timedelta(minutes=minute))
    client = signed_in(world)
    first = client.get("/consent/?action=STOP").content.decode()
    (older,) = re.findall(r'href="(\?[^"]*before=[^"]*)"', first)
    page = client.get(f"/consent/{html.unescape(older)}").content.decode()
    seen = first + page
    assert all(phone in seen for phone in ("734-6043", "734-6044", "734-6045"))
    assert "Older" not in page
    assert "Nothing of this kind" in client.get("/consent/?action=GRANT").content.decode()


def test_a_file_that_proves_something_is_opened_as_a_file(story: World) -> None:
    with story.scope():
        photo = StoredFile.objects.get(kind=FileKind.EVIDENCE)
    answer = signed_in(story).get(f"/consent/evidence/{photo.id}/file/")
    assert b"".join(answer.streaming_content) == b"png"  # type: ignore[attr-defined]
    assert answer["Content-Disposition"].startswith("attachment")
    with story.scope():
        path_of(photo).unlink()
    assert signed_in(story).get(f"/consent/evidence/{photo.id}/file/").status_code == 404
    _, facts = opened(pack_of(story, ADA, story.now))
    assert [record["evidence"]["lost"] for record in facts["records"] if record["evidence"]] == [True]
