"""Short links: one for each person, sent on, counted without robots."""

from dataclasses import replace
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client

from accounts.models import Organization
from campaigns.models import QuoteChunk
from content.rules.segments import measure
from messaging.actions.links import Given, give_links
from messaging.actions.sweeping import Doubtful, matching
from messaging.gateways.base import CarrierMessage
from messaging.models import Click, Link, ShortLink
from messaging.rules.links import CODE_LENGTH, CODE_LETTERS, LIFETIME, is_robot
from messaging.rules.states import State
from tests.world import World, build_world

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile Safari/604.1"
TARGET = "https://example.org/sale?from=text&to=you"
BODY = f"Hello {{{{ first_name|there }}}}, see {{{{ link|{TARGET} }}}} and {{{{ link|https://example.org/map }}}}"


@pytest.fixture
def sent(world: World) -> World:
    world.add_contact("+12567346043", first_name="Ada")
    world.add_contact("+12567346044")
    world.launch(world.campaign(body=BODY))
    return world


def click(world: World, short: ShortLink, **headers: str) -> tuple[int, str]:
    response = Client().get(f"/l/{short.code}", headers={"user-agent": PHONE} | headers)
    return response.status_code, response.headers.get("Location", "")


def test_each_person_has_links_of_their_own(sent: World) -> None:
    with sent.scope():
        shorts = list(ShortLink.objects.order_by("phone", "link__place").select_related("link"))
    assert [(short.phone, short.link.url) for short in shorts] == [
        (phone, url) for phone in ("+12567346043", "+12567346044") for url in (TARGET, "https://example.org/map")
    ]
    assert len({short.code for short in shorts}) == 4
    assert all(len(short.code) == CODE_LENGTH and set(short.code) <= set(CODE_LETTERS) for short in shorts)
    ada, _ = sent.messages()
    assert f"/l/{shorts[0].code} and " in ada.body
    assert f"/l/{shorts[1].code}" in ada.body
    assert TARGET not in ada.body


def test_what_was_quoted_is_what_is_written(sent: World) -> None:
    """The length of a link is part of the measure, before there is a link."""
    with sent.scope():
        chunk = QuoteChunk.objects.get()
    for message, segments, digest in zip(sent.messages(), chunk.segments, chunk.digests, strict=True):
        assert (message.segments, message.digest) == (segments, digest)
        assert measure(message.body).segments == segments


def test_people_are_sent_on_and_counted_once_as_people(sent: World) -> None:
    with sent.scope():
        short = ShortLink.objects.order_by("id").select_related("link").first()
    assert short is not None
    for _ in range(3):
        assert click(sent, short) == (302, short.link.url)
    with sent.scope():
        link = Link.objects.get(id=short.link_id)
        assert (link.people, link.clicks) == (1, 3)
        assert Click.objects.filter(short_link_id=short.id, robot=False).count() == 3


@pytest.mark.parametrize(
    "headers",
    [
        {"user-agent": "facebookexternalhit/1.1 Facebot Twitterbot/1.0"},
        {"user-agent": "WhatsApp/2.23"},
        {"user-agent": ""},
        {"user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"},
        {"sec-purpose": "prefetch;prerender"},
    ],
)
def test_looks_of_robots_are_kept_and_not_counted(sent: World, headers: dict[str, str]) -> None:
    with sent.scope():
        short = ShortLink.objects.order_by("id").first()
    assert short is not None
    assert click(sent, short, **headers)[0] == 302
    with sent.scope():
        assert Link.objects.get(id=short.link_id).clicks == 0
        assert Click.objects.get().robot


def test_people_are_no_robots() -> None:
    for agent in (
        PHONE,
        "Mozilla/5.0 (Linux; Android 16; Pixel 10) AppleWebKit/537.36 Chrome/142.0 Mobile Safari/537.36",
    ):
        assert not is_robot(method="GET", agent=agent, purpose="")
        assert is_robot(method="HEAD", agent=agent, purpose="")


@pytest.mark.parametrize(
    "path", ["/l/nosuchcd", "/l/https://evil.example", "/l/%2F%2Fevil.example", "/l/x?url=https://evil.example"]
)
def test_nobody_is_sent_where_no_campaign_leads(sent: World, path: str) -> None:
    assert Client().get(path).status_code == 404


def test_a_link_ends(sent: World) -> None:
    with sent.scope():
        short = ShortLink.objects.order_by("id").first()
        assert short is not None
        Link.objects.update(expires_at=sent.now - timedelta(days=400))
    assert click(sent, short)[0] == 410
    assert timedelta(days=30) < LIFETIME


def test_a_code_is_given_once(sent: World) -> None:
    with sent.scope():
        short = ShortLink.objects.order_by("id").select_related("link").first()
        assert short is not None
        with pytest.raises(IntegrityError), transaction.atomic():
            give_links([short.link], [Given(1, "+12567346099", (short.code,))])


def test_who_followed_is_listed(sent: World, client: Client) -> None:
    with sent.scope():
        short = ShortLink.objects.order_by("id").select_related("link").first()
    assert short is not None
    click(sent, short)
    client.force_login(sent.owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = client.get(f"/campaigns/{short.link.campaign_id}/links/0/").content.decode()
    assert "Ada" in page
    assert "1 person, 1 click" in page
    assert "1 person" in client.get(f"/campaigns/{short.link.campaign_id}/").content.decode()
    assert "Followed a link" in client.get(f"/contacts/{short.contact_id}/").content.decode()


def test_nobody_borrows_anothers_domain(sent: World, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver", "go.bank.example"]
    other = build_world(sent.now)
    with other.scope():
        Organization.objects.filter(id=other.id).update(link_domain="go.bank.example")
    with sent.scope():
        short = ShortLink.objects.order_by("id").first()
    assert short is not None
    assert click(sent, short, host="go.bank.example")[0] == 404
    assert click(sent, short)[0] == 302


def test_an_operator_gives_a_host_that_is_answered_and_no_others(sent: World, settings: Any, now: datetime) -> None:
    settings.ALLOWED_HOSTS = ["testserver", "go.bank.example"]
    call_command("link_domain", str(sent.id), "Go.Bank.example", stdout=StringIO())
    sent.launch(sent.campaign(body="{{ link|https://example.org/2 }}"))
    assert sent.messages()[-1].body.startswith("https://go.bank.example/l/")
    other = build_world(now)
    for wrong, words in (("go.bank.example", "another organization"), ("x.example", "ALLOWED_HOSTS"), ("a b", "host")):
        with pytest.raises(CommandError, match=words):
            call_command("link_domain", str(other.id), wrong, stdout=StringIO())
    with pytest.raises(CommandError, match="0 organizations"):
        call_command("link_domain", "Nobody at all", stdout=StringIO())


def test_a_text_with_links_is_found_again_at_the_carrier(sent: World) -> None:
    """By its words: its digest is taken with the addresses behind the links."""
    message = sent.messages()[0]
    doubt = Doubtful(message.id, sent.id, message.carrier_account_id, "+1", message.phone, message.body, sent.now)
    listed = CarrierMessage("SM1", "+1", message.phone, message.body, State.SENT, None, sent.now)
    with sent.scope():
        assert matching(doubt, [listed]) == listed
        assert matching(doubt, [replace(listed, body="Other words")]) is None
