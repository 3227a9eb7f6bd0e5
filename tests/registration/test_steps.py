"""The steps of a registration, and what the business hears of them."""

from datetime import datetime
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import Notice
from content.actions import EvidenceRefused, store_evidence
from content.rules.filetypes import evidence_type
from registration.actions import StepNotPossible, decide_registration, submit_registration
from registration.models import Registration, RegistrationState, ReviewEvent
from senders.actions import add_number
from senders.models import SenderKind, SenderNumber
from tests.world import ACTOR, World

S = RegistrationState


@pytest.fixture
def number(world: World, now: datetime) -> SenderNumber:
    with world.scope():
        return add_number(
            carrier_account_id=world.number.carrier_account_id,
            sender="+18885550142",
            kind=SenderKind.TOLL_FREE,
            segments_per_second=Decimal(3),
            department=world.number.department,
            actor=ACTOR,
            now=now,
        )


def submitted(number: SenderNumber, now: datetime, use_case: str = "news") -> Registration:
    return submit_registration(
        number=number, use_case=use_case, sample_text="Hello", opt_in_type="WEB_FORM", actor=ACTOR, now=now
    )


def status(number: SenderNumber) -> str:
    return SenderNumber.objects.values_list("status", flat=True).get(id=number.id)


def test_approval_registers_the_number_and_says_so(world: World, number: SenderNumber, now: datetime) -> None:
    with world.scope():
        registration = submitted(number, now)
        assert status(number) == "PENDING"
        decide_registration(registration.id, verdict=S.APPROVED, reviewer=ACTOR, now=now)
        assert status(number) == "REGISTERED"
        steps = ReviewEvent.objects.filter(registration=registration).order_by("id").values_list("state", flat=True)
        assert list(steps) == [S.SUBMITTED, S.IN_REVIEW, S.SENT_TO_CARRIER, S.APPROVED]
        assert "may send campaigns now" in Notice.objects.latest("id").text


@pytest.mark.parametrize("verdict", [S.CHANGES_REQUESTED, S.REJECTED])
def test_a_no_has_a_reason_and_can_be_answered(
    world: World, number: SenderNumber, now: datetime, verdict: RegistrationState
) -> None:
    with world.scope():
        registration = submitted(number, now)
        with pytest.raises(StepNotPossible, match="Say in a sentence"):
            decide_registration(registration.id, verdict=verdict, reviewer=ACTOR, now=now)
        decide_registration(registration.id, verdict=verdict, note="Show the box.", reviewer=ACTOR, now=now)
        assert "Show the box." in Notice.objects.latest("id").text
        again = submitted(number, now, "clearer news")
        assert (again.id, again.state, again.use_case) == (registration.id, S.SUBMITTED, "clearer news")
        assert status(number) == "PENDING"


def test_handing_in_twice_is_refused_while_it_is_with_staff(world: World, number: SenderNumber, now: datetime) -> None:
    with world.scope():
        submitted(number, now)
        with pytest.raises(StepNotPossible, match="handed in already"):
            submitted(number, now)
        assert Registration.objects.filter(sender_number=number).count() == 1


def test_a_second_reviewer_finds_it_decided(world: World, number: SenderNumber, now: datetime) -> None:
    with world.scope():
        registration = submitted(number, now)
        decide_registration(registration.id, verdict=S.REJECTED, note="No.", reviewer=ACTOR, now=now)
        with pytest.raises(StepNotPossible, match="cannot become"):
            decide_registration(registration.id, verdict=S.APPROVED, reviewer=ACTOR, now=now)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF....WEBPVP8 ", "image/webp"),
        (b"....ftypheic....", "image/heic"),
        (b"%PDF-1.7", "application/pdf"),
        (b"RIFF....WAVEfmt ", "audio/wav"),
        (b"ID3\x04", "audio/mpeg"),
        (b"<svg onload=x>", None),
        (b"MZ\x90", None),
        (b"", None),
    ],
)
def test_evidence_is_known_by_its_content(head: bytes, expected: str | None) -> None:
    assert evidence_type(head) == expected


def test_evidence_of_another_kind_or_too_large_is_refused(world: World, now: datetime) -> None:
    with world.scope():
        for upload, words in (
            (SimpleUploadedFile("form.png", b"<html>"), "no picture"),
            (SimpleUploadedFile("form.png", b"\x89PNG\r\n\x1a\n" + b"0" * (10 * 1024 * 1024)), "larger than 10 MB"),
        ):
            with pytest.raises(EvidenceRefused, match=words):
                store_evidence(upload, actor=ACTOR, now=now)
