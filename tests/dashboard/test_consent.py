"""What people of the organization do about consent: the panel, the wish to stop in other words, the time of keeping."""

from datetime import datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command

from common.tenancy import across_organizations
from consent.actions import Noted, note_consent
from consent.models import ConsentRecord, ConsentState, OptInRequest, OptOut, PossibleOptOut, Program
from consent.queries import is_opted_out
from consent.rules.media import Medium
from content.actions import store_file
from content.models import FileKind, StoredFile
from content.queries import path_of
from dashboard.actions import erase_old_consent
from inbox.models import Conversation
from messaging.actions.settling import Settlement, settle
from messaging.models import Message
from messaging.rules.states import State
from tests.architecture.test_isolation import signed_in
from tests.messaging.test_claims import claim, queue, stream_of
from tests.world import ACTOR, World

ADA, BEN = "+12567346043", "+12567346044"
PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\nIDATx\x9cc\x00\x01\x00\x00\x05\x00\x01\r\n-\xb4\x00\x00\x00\x00IEND\xaeB`\x82"
)


def note(world: World, contact_id: int, **fields: object) -> str:
    given = {
        "phone": ADA,
        "what": "agreed",
        "program": world.program.id,
        "medium": "PAPER_FORM",
        "at": "2026-11-20",
        "reason": "signed at the counter",
    }
    answer = signed_in(world).post(f"/contacts/{contact_id}/consent/", given | fields, follow=True)
    return str(answer.content.decode())


def test_consent_is_noted_with_reason_and_proof_and_taken_back(world: World) -> None:
    contact = world.add_contact(ADA, consent=False)
    with world.scope():
        Program.objects.update(level="PROMOTIONAL")
    assert "need proof" in note(world, contact.id)
    page = note(world, contact.id, evidence=SimpleUploadedFile("form.png", PNG))
    assert "Noted." in page
    with world.scope():
        record = ConsentRecord.objects.get()
        assert (record.medium, record.note) == ("PAPER_FORM", "signed at the counter")
        assert record.evidence_id is not None
        assert f"{record.occurred_at:%Y-%m-%d %H:%M}" == "2026-11-20 05:00", "the day of the organization's zone"
    letter = SimpleUploadedFile("letter.png", PNG)
    assert "Noted." in note(
        world, contact.id, what="withdrew", reason="wrote a letter", at="2026-11-22", evidence=letter
    )
    with world.scope():
        assert not ConsentState.objects.get(phone=ADA).granted
        taken_back = ConsentRecord.objects.get(action="WITHDRAW")
        assert f"{taken_back.occurred_at:%Y-%m-%d}" == "2026-11-22"
        assert (taken_back.note, bool(taken_back.evidence_sha256)) == ("wrote a letter", True)
        assert not is_opted_out(ADA)


def test_somebody_is_asked_by_a_text(world: World) -> None:
    contact = world.add_contact(ADA, consent=False)
    assert "Choose the number" in note(world, contact.id, what="ask")
    assert "begun by the person" in note(world, contact.id, program=0)
    assert "begun by the person" in note(world, contact.id, what="ask", program=0, number=world.number.id)
    assert "ask them to confirm it" in note(world, contact.id, what="ask", number=world.number.id)
    with world.scope():
        assert OptInRequest.objects.get().basis == "signed at the counter"
        assert Message.objects.get().phone == ADA
    assert "within the last 30 days" in note(world, contact.id, what="ask", number=world.number.id)


def test_nobody_brings_back_who_said_stop(world: World, now: datetime) -> None:
    contact = world.add_contact(ADA)
    world.receive(ADA, "stop", at=now)
    for what in ("agreed", "ask"):
        assert "Only they can come back" in note(world, contact.id, what=what, number=world.number.id)


@pytest.mark.parametrize(("choice", "stopped"), [("yes", True), ("no", False)])
def test_a_person_decides_whether_they_want_to_stop(world: World, now: datetime, choice: str, stopped: bool) -> None:
    world.add_contact(ADA)
    world.receive(ADA, "please stop texting me", at=now)
    with world.scope():
        conversation = Conversation.objects.create(
            organization_id=world.id,
            sender_number_id=world.number.id,
            phone=ADA,
            last_text="please stop texting me",
            last_received_at=now,
        )
    client = signed_in(world)
    assert "may want to stop" in client.get("/inbox/").content.decode()
    assert "may want to stop" in client.get("/inbox/?show=to-decide").content.decode()
    path = f"/inbox/{conversation.id}/"
    assert "Do they want to stop?" in client.get(path).content.decode()
    client.post(f"{path}decide/", {})
    with world.scope():
        assert PossibleOptOut.objects.get().verdict == "", "neither yes nor no"
    world.receive(ADA, "take me off your list", at=now, sid="SMsecond")
    page = client.post(f"{path}decide/", {"stops": "no", "read": "SMfirst"}, follow=True).content.decode()
    assert "They have written again since" in page
    with world.scope():
        assert PossibleOptOut.objects.get().verdict == "", "what nobody has read is not answered with no"
    for _ in range(2):  # the second click
        client.post(f"{path}decide/", {"stops": choice, "read": "SMsecond"})
    with world.scope():
        assert is_opted_out(ADA) == stopped
        assert PossibleOptOut.objects.get().verdict == ("STOPPED" if stopped else "WENT_ON")
    assert "Do they want to stop?" not in client.get(path).content.decode()
    page = client.post(f"{path}decide/", {"stops": "yes"}, follow=True).content.decode()
    assert "is not texted any more" in page
    with world.scope():
        assert is_opted_out(ADA), "a yes in a window of yesterday is a yes"


def test_records_are_emptied_six_years_after_the_last_text(committed_world: World, now: datetime) -> None:
    world = committed_world
    world.consent(ADA, BEN)
    world.receive("+12567346045", "stop", at=now)
    stream = stream_of(world, now)
    queue(world, stream, [BEN], now)
    (one,) = claim(world, now, stream)
    with across_organizations(because="as the dispatcher does"):
        settle([Settlement(one.message_id, State.ACCEPTED, sid=f"SM{one.message_id}")], now=now)
    with world.scope():
        Message.objects.update(created_at=now + timedelta(days=30))
    late = now.replace(year=2032) + timedelta(days=1)
    assert erase_old_consent(world.id, actor=ACTOR, now=now.replace(year=2032) - timedelta(days=1)) == 0
    assert erase_old_consent(world.id, actor=ACTOR, now=late, dry_run=True) == 1
    assert erase_old_consent(world.id, actor=ACTOR, now=late) == 1
    assert erase_old_consent(world.id, actor=ACTOR, now=late) == 0
    with world.scope():
        assert not ConsentRecord.objects.filter(phone=ADA).exists()
        assert not ConsentState.objects.filter(phone=ADA).exists()
        assert ConsentRecord.objects.filter(phone=BEN).count() == 1
        assert OptOut.objects.get().phone == "+12567346045"
    assert erase_old_consent(world.id, actor=ACTOR, now=late + timedelta(days=40)) == 1


def test_the_files_that_prove_go_with_the_last_record_that_names_them(committed_world: World, now: datetime) -> None:
    world = committed_world
    with world.scope():
        own, shared = (
            store_file(
                kind=FileKind.EVIDENCE,
                name="form.png",
                content_type="image/png",
                chunks=[content],
                actor=ACTOR,
                now=now,
            )
            for content in (b"own", b"shared")
        )
        for phone, file in ((ADA, own), (BEN, shared)):
            noted = Noted("signed", Medium.PAPER_FORM, now, evidence_id=file.id)
            note_consent(phone, program_id=world.program.id, noted=noted, actor=ACTOR, now=now)
        later = now + timedelta(days=30)
        noted = Noted("signed", Medium.PAPER_FORM, later, evidence_id=shared.id)
        note_consent("+12567346045", program_id=world.program.id, noted=noted, actor=ACTOR, now=later)
    assert erase_old_consent(world.id, actor=ACTOR, now=now.replace(year=2032) + timedelta(days=1)) == 2
    with world.scope():
        assert list(StoredFile.objects.filter(kind=FileKind.EVIDENCE)) == [shared]
    assert not path_of(own).exists()
    assert path_of(shared).exists()


def test_the_command_counts_before_it_empties(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("erase_old_consent", dry_run=True)
    assert f"Organization {world.id}: the records of 0 phones would be emptied." in capsys.readouterr().out
