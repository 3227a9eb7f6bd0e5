"""The public sign-up page: nobody is forced, nothing is told to strangers, and the page as shown is the proof."""

import hashlib
import secrets
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from common.rates import within_rate
from consent.actions import ProgramDetails, change_program, create_program
from consent.models import ConsentRecord, OptInRequest, Program
from consent.queries import is_opted_out
from consent.rules.media import Level
from contacts.models import Contact
from content.models import StoredFile
from content.queries import path_of
from messaging.models import Message
from senders.actions import set_number_status
from senders.models import NumberStatus
from tests.architecture.test_isolation import signed_in
from tests.world import ACTOR, World

ADA = "+12567346043"
WORDS = (
    "By ticking this box I agree to get news by text from Bakery. Up to 4 texts a month. Message and data rates may "
    "apply. Reply STOP to stop. Reply HELP for help. Terms: bakery.example/terms Privacy policy: "
    "bakery.example/privacy"
)


PAGES: Any = {"terms_url": "https://bakery.example/terms", "privacy_url": "https://bakery.example/privacy"}


def with_page(world: World, *, double: bool = False, text: str = WORDS) -> Program:
    with world.scope():
        return change_program(
            world.program.id,
            name="News",
            level=Level.INFORMATIONAL,
            brand="Bakery",
            opt_in_text=text,
            details=ProgramDetails(double_opt_in=double, form_number_id=world.number.id, **PAGES),
            actor=ACTOR,
            now=world.now,
        )


@pytest.fixture
def send(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Look at a program's page and send it as a person would, some seconds later; the page that follows."""

    def send(program: Program, *, wait: float = 5.0, address: str = "203.0.113.7", **fields: str) -> str:
        client, path = Client(REMOTE_ADDR=address), f"/join/{program.form_key}/"
        token = client.get(path).content.decode().partition('name="token" value="')[2].partition('"')[0]
        later = time.time() + wait
        with monkeypatch.context() as patch:
            patch.setattr("dashboard.views.joining.time.time", lambda: later)
            return client.post(path, {"token": token} | fields, HTTP_USER_AGENT="Firefox").content.decode()

    # The counts of who comes how often outlive a test.
    monkeypatch.setattr("dashboard.views.joining.within_rate", lambda name, **_: True)
    return send


def agree(program: Program) -> dict[str, str]:
    return {f"agree_{program.id}": "on"}


def test_who_ticks_the_box_agrees_with_the_page_as_proof(world: World, send: Callable[..., str]) -> None:
    program = with_page(world)
    answer = send(program, phone="(256) 734-6043", name="Ada Byron", **agree(program))
    assert "Almost there" in answer
    with world.scope():
        record = ConsentRecord.objects.get()
        assert (record.phone, record.medium, record.program_version) == (ADA, "WEB_FORM", 2)
        assert (record.ip_address, record.user_agent, record.identity) == ("203.0.113.7", "Firefox", "Ada Byron")
        assert record.source_url is not None
        assert record.source_url.endswith(f"/join/{program.form_key}/")
        page = path_of(StoredFile.objects.get(id=record.evidence_id or 0)).read_bytes()
        assert WORDS.encode() in page
        assert b'name="agree_' in page
        assert b" checked" not in page.partition(b"<body")[2], "the box was empty when it was shown"
        assert b"<style>" in page, "it looks in ten years as it did"
        assert b"/static/" not in page
        assert StoredFile.objects.get(id=record.evidence_id or 0).sha256 == hashlib.sha256(page).hexdigest()
        assert record.actor_label == ADA, "whatever name was typed: no member did this"
        assert str(Contact.objects.get()) == "Ada Byron"
        assert "STOP" in Message.objects.get(phone=ADA).body
    send(program, phone="256 734 6044", **agree(program))
    with world.scope():
        assert len(set(ConsentRecord.objects.values_list("evidence_id", flat=True))) == 1, "the same page, one file"


def test_nobody_is_forced(world: World, send: Callable[..., str]) -> None:
    program = with_page(world)
    page = Client().get(f"/join/{program.form_key}/").content.decode()
    assert "checked" not in page
    assert "required" not in page
    assert "You get no texts" in send(program, phone=ADA, name="Ada")
    assert "enter your mobile number" in send(program, phone="12", **agree(program))
    with world.scope():
        assert not ConsentRecord.objects.exists()
        assert not Contact.objects.exists()


def test_each_program_has_its_own_box(world: World, send: Callable[..., str]) -> None:
    program = with_page(world)
    with world.scope():
        other = create_program(
            name="Offers",
            level=Level.PROMOTIONAL,
            brand="Bakery",
            opt_in_text=f"{WORDS} Offers too. Consent is not a condition of any purchase.",
            details=ProgramDetails(form_number_id=world.number.id, **PAGES),
            actor=ACTOR,
            now=world.now,
        )
    send(program, phone=ADA, **agree(other))
    with world.scope():
        assert list(ConsentRecord.objects.values_list("program_id", flat=True)) == [other.id]


def test_double_opt_in_and_who_said_stop_are_asked_alike(world: World, send: Callable[..., str]) -> None:
    program = with_page(world, double=True)
    answers = [send(program, phone=ADA, **agree(program))]
    with world.scope():
        assert Message.objects.get().phone == ADA
        assert not ConsentRecord.objects.exists()
    world.receive("+12567346044", "stop", at=world.now)
    answers.append(send(program, phone="+12567346044", **agree(program)))
    answers.append(send(program, phone=ADA, **agree(program)))  # asked within thirty days
    assert len(set(answers)) == 1, "strangers are not told who is known here"
    with world.scope():
        assert Message.objects.count() == 1, "who said stop is sent nothing"
        assert OptInRequest.objects.count() == 2
    world.receive("+12567346044", "yes", at=world.now + timedelta(minutes=1))
    with world.scope():
        assert not is_opted_out("+12567346044")
        assert ConsentRecord.objects.filter(phone="+12567346044", medium="DOUBLE_OPT_IN").exists()


def test_robots_and_old_pages(world: World, send: Callable[..., str]) -> None:
    program = with_page(world)
    assert "That was quick" in send(program, wait=0.5, phone=ADA, **agree(program))
    assert "Almost there" in send(program, website="http://spam.example", phone=ADA, **agree(program))
    assert (
        "has expired" in Client().post(f"/join/{program.form_key}/", {"token": "x"} | agree(program)).content.decode()
    )
    client = Client()
    path = f"/join/{program.form_key}/"
    token = client.get(path).content.decode().partition('name="token" value="')[2].partition('"')[0]
    with_page(world, text=f"{WORDS} I agree to much more.")
    answer = client.post(path, {"token": token, "phone": ADA} | agree(program)).content.decode()
    assert "have changed meanwhile" in answer
    with world.scope():
        assert not ConsentRecord.objects.exists()


def test_too_many_from_one_address(world: World, send: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    program = with_page(world)
    monkeypatch.setattr("dashboard.views.joining.within_rate", within_rate)
    monkeypatch.setattr("dashboard.views.joining.AN_ADDRESS", 2)
    network = f"2001:db8:{secrets.randbelow(65_536):x}:1::"
    answers = [
        send(program, address=f"{network}{host}", phone=f"+1256734{6100 + host}", **agree(program))
        for host in (1, 2, 3)
    ]
    assert ["Almost there" in answer for answer in answers] == [True, True, False], "a network is one visitor"
    assert "in an hour" in answers[2]
    assert " checked" in answers[2], "what was ticked stays"


def test_one_page_is_sent_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second click, and a robot that looked once: the same page signs nobody up again."""
    program = with_page(world)
    path, client = f"/join/{program.form_key}/", Client(REMOTE_ADDR=f"10.1.{secrets.randbelow(256)}.7")
    token = client.get(path).content.decode().partition('name="token" value="')[2].partition('"')[0]
    monkeypatch.setattr("dashboard.views.joining.SOONEST", 0)
    phones = [f"+1256734{secrets.randbelow(9000) + 1000}" for _ in range(2)]
    for phone in phones:
        assert "Almost there" in client.post(path, {"token": token, "phone": phone} | agree(program)).content.decode()
    with world.scope():
        assert list(ConsentRecord.objects.values_list("phone", flat=True)) == phones[:1]


@pytest.mark.parametrize(
    "phone", ["+19005550123", "+18765550123", "+447911123456", "8005550199"], ids=["paid", "abroad", "UK", "toll-free"]
)
def test_who_cannot_be_meant_is_not_signed_up(world: World, send: Callable[..., str], phone: str) -> None:
    program = with_page(world)
    answer = send(program, phone=phone, **agree(program))
    assert "enter your mobile number" in answer
    assert 'aria-invalid="true"' in answer


def test_a_national_number_is_one_of_the_organizations_country(world: World, send: Callable[..., str]) -> None:
    program = with_page(world)
    with world.scope():
        world.organization.default_country = "GB"
        world.organization.save()
    assert "Almost there" in send(program, phone="07400 123456", **agree(program))


def test_nobody_signs_up_to_a_number_that_may_not_text(world: World, send: Callable[..., str]) -> None:
    program = with_page(world)
    with world.scope():
        set_number_status(world.number.id, status=NumberStatus.SUSPENDED, actor=ACTOR, now=world.now)
    assert "closed at the moment" in send(program, phone=ADA, **agree(program))
    with world.scope():
        assert not ConsentRecord.objects.exists()


def test_the_code_and_the_frame_are_told_apart(world: World) -> None:
    program = with_page(world)
    path = f"/join/{program.form_key}/"
    monkey = pytest.MonkeyPatch()
    with monkey.context() as patch:
        patch.setattr("dashboard.views.joining.SOONEST", 0)
        patch.setattr("dashboard.views.joining.within_rate", lambda name, **_: True)
        for turn, query in enumerate(["?by=qr", "?embedded=1"]):
            client = Client()
            page = client.get(f"{path}{query}", headers={"Referer": "https://shop.example/"}).content.decode()
            token = page.partition('name="token" value="')[2].partition('"')[0]
            client.post(path, {"token": token, "phone": f"+1256734600{turn}"} | agree(program))
    with world.scope():
        by_code, framed = ConsentRecord.objects.order_by("id")
    assert by_code.medium == "QR_CODE"
    assert framed.source_url is not None
    assert framed.source_url.endswith("in a frame on https://shop.example/")


@pytest.mark.parametrize("name", ["http://evil.example/x", "evil.example", "Win $100", "\x00Ada"])
def test_a_name_that_strangers_type_is_no_text_of_ours(world: World, send: Callable[..., str], name: str) -> None:
    program = with_page(world)
    send(program, phone=ADA, name=name, **agree(program))
    with world.scope():
        assert Contact.objects.get().first_name in ("", "Ada")


def test_a_page_may_stand_in_a_frame_and_no_other_may(world: World) -> None:
    program = with_page(world)
    answer = Client().get(f"/join/{program.form_key}/")
    assert "frame-ancestors *" in answer["Content-Security-Policy"]
    assert "X-Frame-Options" not in answer
    script = Client().get(f"/join/{program.form_key}.js")
    assert f"/join/{program.form_key}/?embedded=1" in script.content.decode()
    assert Client().get("/join/nobody/").status_code == 404
    assert Client().get("/join/nobody.js").status_code == 404
    assert "frame-ancestors 'none'" in Client().get("/accounts/login/")["Content-Security-Policy"]


# The pages of a program ------------------------------------------------------------------------------------------


def said(world: World, **more: str) -> dict[str, str]:
    return {
        "name": "Offers",
        "level": "PROMOTIONAL",
        "brand": "Bakery",
        "opt_in_text": f"{WORDS} Consent is not a condition of any purchase.",
        "positive_words": "YES, OK",
        "number": str(world.number.id),
        "join_words": "deals, SWEETS",
        "posted_at": "poster",
        "public_form": "on",
        "terms_url": "example.org/terms",
        "privacy_url": "example.org/privacy",
    } | more


def test_a_program_is_written_changed_and_shown(world: World) -> None:
    client = signed_in(world)
    answer = client.post("/programs/new/", said(world), follow=True)
    page = answer.content.decode()
    assert "“Offers” is saved" in page
    with world.scope():
        program = Program.objects.get(name="Offers")
        assert set(program.keywords.values_list("word", flat=True)) == {"deals", "sweets"}
        assert (program.privacy_url, program.positive_words) == ("https://example.org/privacy", ["yes", "ok"])
    assert f"/join/{program.form_key}/" in page
    for what, ending, begins in [("page", "svg", b"<?xml"), ("page", "png", b"\x89PNG"), ("word", "svg", b"<?xml")]:
        assert client.get(f"/programs/{program.id}/{what}.{ending}").content.startswith(begins)
    assert client.get(f"/programs/{program.id}/page.exe").status_code == 404
    edit = client.get(f"/programs/{program.id}/edit/").content.decode()
    assert "DEALS, SWEETS" in edit
    client.post(f"/programs/{program.id}/edit/", said(world, join_words="deals", public_form=""))
    assert client.get(f"/join/{program.form_key}/").status_code == 404
    with world.scope():
        assert list(program.keywords.values_list("word", flat=True)) == ["deals"]
        assert Program.objects.get(name="Offers").opt_in_version == 1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"join_words": "stop"}, "means something else already"),
        ({"number": ""}, "Choose the number"),
        ({"privacy_url": "not an address"}, "Enter the address of a page"),
        ({"terms_url": ""}, "A public page links to your terms"),
        ({"opt_in_text": WORDS.replace("bakery.example", "your-site.example")}, "Missing: terms and privacy"),
        ({"opt_out_text": "Bakery: no more texts. 20% off if you stay!"}, "may not sell"),
        ({"confirmation_text": "x" * 400}, "320"),
        ({"name": "Updates"}, "already"),
        ({"opt_in_text": "I agree."}, "Missing: who texts"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_lost(world: World, fields: dict[str, str], words: str) -> None:
    page = signed_in(world).post("/programs/new/", said(world, **fields)).content.decode()
    assert words in page
    assert "I agree" in page
    with world.scope():
        assert Program.objects.count() == 1


def test_the_check_tells_what_the_words_lack(world: World) -> None:
    page = signed_in(world).post("/programs/check/", said(world, opt_in_text="I agree.")).content.decode()
    assert page.count(">missing<") == 8
    assert "8 things missing" in page
    assert "Message and data rates may apply." in page
    whole = (
        "By ticking this box I agree to get texts from Bakery about offers. Up to 4 texts a month. Message and data "
        "rates may apply. Reply STOP to stop. Reply HELP for help. Consent is not a condition of any purchase. "
        "Terms: bakery.example/terms Privacy policy: bakery.example/privacy"
    )
    page = signed_in(world).post("/programs/check/", said(world, opt_in_text=whole)).content.decode()
    assert ">missing<" not in page
