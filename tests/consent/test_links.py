"""The pages of a program are looked at: never in our own network, whole, and for what they must say."""

import http.server
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.conf import LazySettings

from consent.actions import ProgramDetails, change_program, links_of, note_links, programs_to_look_at
from consent.actions.links import NOT_SOLD
from consent.gateways.pages import PageRefused, read_page
from consent.models import Program
from consent.rules.disclosure import (
    Offer,
    check_confirmation,
    check_help,
    check_opt_out,
    offered_replies,
    says_not_sold,
)
from consent.rules.media import Level
from consent.tasks import check_links
from tests.world import ACTOR, World

PAGES = {"/terms": "Terms", "/privacy": f"<p>{NOT_SOLD}</p>", "/odd": "<![foo[ Terms", "/other": "Hello"}


class Pages(http.server.BaseHTTPRequestHandler):
    """Some pages of a business, and some of a robber."""

    def do_GET(self) -> None:
        if self.path == "/on":
            self.send_response(302)
            self.send_header("Location", "/on")
            self.end_headers()
            return
        body = PAGES.get(self.path)
        self.send_response(200 if body else 404)
        self.end_headers()
        self.wfile.write((body or "").encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.mark.parametrize(
    "url",
    [
        "{site}/terms",
        "http://localhost/",
        "http://127.1/",
        "http://0177.0.0.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://example.org:22/",
        "http://user@127.0.0.1/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "http://１２７.0.0.1/",
        "http:///",
        "",
    ],
)
def test_nothing_in_our_own_network_is_read(site: str, url: str) -> None:
    with pytest.raises(PageRefused):
        read_page(url.format(site=site))


def test_a_page_is_read_and_one_that_sends_on_for_ever_is_not(site: str, settings: LazySettings) -> None:
    settings.LINK_CHECK_PRIVATE = True
    assert read_page(f"{site}/terms") == "Terms"
    with pytest.raises(PageRefused, match="404"):
        read_page(f"{site}/nothing")
    with pytest.raises(PageRefused, match="on and on"):
        read_page(f"{site}/on")


def with_links(world: World, terms: str, privacy: str) -> Program:
    with world.scope():
        return change_program(
            world.program.id,
            name="Updates",
            level=Level.INFORMATIONAL,
            brand="Bakery",
            opt_in_text="I agree.",
            details=ProgramDetails(terms_url=terms, privacy_url=privacy),
            actor=ACTOR,
            now=world.now,
        )


@pytest.mark.parametrize(
    ("terms", "privacy", "findings"),
    [
        ("/terms", "/privacy", []),
        ("/odd", "/privacy", []),
        ("/terms", "/other", [f"Add: “{NOT_SOLD}”"]),
        ("/nothing", "/privacy", ["cannot be read: it answers with 404"]),
        ("", "", ["no address of your terms", "no address of your privacy policy"]),
    ],
)
def test_what_is_found_is_said(
    committed_world: World, site: str, settings: LazySettings, terms: str, privacy: str, findings: list[str]
) -> None:
    settings.LINK_CHECK_PRIVATE = True
    world = committed_world
    program = with_links(world, f"{site}{terms}" if terms else "", f"{site}{privacy}" if privacy else "")
    check_links(world.id, program.id)
    with world.scope():
        program.refresh_from_db()
    assert program.links_checked_at is not None
    assert len(program.link_findings) == len(findings)
    assert all(words in found for words, found in zip(findings, program.link_findings, strict=True))


def test_a_check_that_was_lost_is_made_the_next_night_and_one_of_old_pages_says_nothing(
    world: World, now: datetime
) -> None:
    program = with_links(world, "https://a.example/terms", "https://a.example/privacy")
    with world.scope():
        assert programs_to_look_at(before=now) == [program.id], "it was never looked at"
        links = links_of(program.id)
        with_links(world, "https://b.example/terms", "https://b.example/privacy")
        note_links(program.id, links=links, pages={}, troubles={}, now=now)
        assert Program.objects.get().links_checked_at is None, "it names other pages by now"
        note_links(program.id, links=links_of(program.id), pages={}, troubles={}, now=now)
        assert programs_to_look_at(before=now) == []
        assert programs_to_look_at(before=now + timedelta(days=8)) == [program.id]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("We do not sell your personal information.", True),
        ("Your mobile number is never shared with third parties for marketing.", True),
        ("No mobile information will be shared with third parties.", True),
        ("We may sell your data to partners.", False),
        ("We share numbers with our partners.", False),
        ("We bake bread.", False),
        ("We do not rent cars.", False),
        ("Acme Inc does not sell, trade or rent your personal data.", True),
        ("We never disclose your credit card. We sell your phone number to partners.", False),
        ("We may sell your data. We do not share health information.", False),
        ("We do not sell your data, except to our marketing partners.", False),
    ],
)
def test_what_a_privacy_page_says_of_selling(words: str, said: bool) -> None:
    assert bool(says_not_sold(words)) == said


OFFER = Offer("Bakery", "news", "up to 4 texts a month", Level.PROMOTIONAL)


def test_what_is_offered_says_everything_and_what_is_missing_is_named() -> None:
    offered = offered_replies(OFFER, name="News")
    for check, text, bare in [
        (check_confirmation, offered.confirmation, {"company", "frequency", "rates", "help", "stop", "length"}),
        (check_help, offered.help, {"company", "contact", "stop", "length"}),
        (check_opt_out, offered.opt_out, {"company", "stopped", "length"}),
    ]:
        assert [item.key for item in check(text, OFFER) if item.missing] == []
        assert {item.key for item in check("Hi", OFFER) if item.missing} == bare


@pytest.mark.parametrize(
    ("text", "sells"),
    [
        ("Bakery: You will receive no more offers from us.", False),
        ("Bakery: No more texts. Stay with us for 20% off!", True),
        ("Bakery: You are out. Our deals are great, though.", True),
    ],
)
def test_an_answer_to_stop_sells_nothing(text: str, sells: bool) -> None:
    plain = {item.key: item.missing for item in check_opt_out(text, OFFER)}["plain"]
    assert plain == sells
