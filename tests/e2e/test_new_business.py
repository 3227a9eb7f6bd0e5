"""From signing up to an answered reply, through the pages alone: the business and the platform's staff."""

import os
import re
import secrets

import pytest
from playwright.sync_api import Browser, Page, expect

from accounts.models import User
from accounts.rules.permissions import StaffRole
from common.phones import for_people
from config.demo.seed import SignIn, Tenant
from config.stack import Stack
from tests.e2e.conftest import sign_in, watched_page
from tests.servers import ROOT

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

pytestmark = pytest.mark.fault

OFFICES = ROOT.parent / "shared" / "data" / "offices.csv"
PICTURE = b"\x89PNG\r\n\x1a\n" + b"form" * 20
NUMBER = "+18885550142"


@pytest.fixture
def staff() -> SignIn:
    email, password = f"staff-{secrets.token_hex(4)}@example.org", secrets.token_urlsafe(12)
    User.objects.create_user(email, password, name="Ravi", staff_role=StaffRole.OPERATOR)
    return SignIn(email, password)


def test_from_sign_up_to_an_answered_reply(browser: Browser, stack: Stack, tenant: Tenant, staff: SignIn) -> None:
    # `tenant` has brought the platform's account at the carrier; its numbers are not used here.
    sender = f"+1888{secrets.randbelow(8_000_000) + 2_000_000}"
    stack.simulator.add_number(sender, rate=200.0, inbound_url=stack.inbound_url, toll_free=True)
    with (
        watched_page(browser, stack.web_url, width=1280) as page,
        watched_page(browser, stack.web_url, width=1280) as reviewer,
    ):
        _sign_up(page)
        _ask_for_a_number(page)
        sign_in(reviewer, staff)
        _give(reviewer, sender, stack.simulator.account_sid)
        _register(page, sender)
        _approve(reviewer, sender)
        page.goto("/")
        expect(page.get_by_text("is registered: it may send campaigns now")).to_be_visible()
        _write_a_program(page)
        _import(page)
        _compose(page)
        _buy_credits(page)
        _pay(reviewer)
        _send(page)
        phone = "+12567346043"
        stack.simulator.answer(phone=phone, sender=sender, body="Are you open on Friday?")
        _answer(page, phone)


def _sign_up(page: Page) -> None:
    page.goto("/accounts/signup/")
    page.get_by_label("Name of your business").fill("Harbor Street Dental")
    page.get_by_label("Email").fill(f"owner-{secrets.token_hex(4)}@example.org")
    page.get_by_label("Password").fill("a long enough password")
    page.get_by_role("button", name="Sign Up").click()
    expect(page.get_by_role("heading", name="On the way to your first campaign")).to_be_visible()


def _ask_for_a_number(page: Page) -> None:
    page.get_by_role("link", name="Ask for a number").click()
    page.get_by_label("Toll-free").check()
    page.get_by_label("Anything we should know?").fill("easy to remember")
    page.get_by_role("button", name="Ask for it").click()
    expect(page.get_by_text("Your wish is with our staff")).to_be_visible()


def _give(reviewer: Page, sender: str, account_sid: str) -> None:
    row = reviewer.get_by_role("row", name=re.compile("easy to remember"))
    row.get_by_role("link").click()
    reviewer.get_by_label("Number", exact=False).first.fill(sender)
    reviewer.get_by_label("Segments a second").fill("200")
    reviewer.get_by_label("Carrier account").select_option(label=f"Twilio REST API {account_sid}")
    reviewer.get_by_role("button", name="Give this number").click()
    expect(reviewer.get_by_text("has been told")).to_be_visible()


def _register(page: Page, sender: str) -> None:
    page.goto("/campaigns/")
    page.get_by_role("link", name="Go to your numbers").click()
    page.get_by_label(f"What to do with {for_people(sender)}").click()
    page.get_by_role("link", name="Register for campaigns").click()
    page.get_by_label("What will you text, and to whom?").fill("Opening hours to people who asked for them")
    page.get_by_label("A text as people will get it").fill("Hello Ada, we open at 8. Reply STOP to stop.")
    page.get_by_label("A document that shows it").set_input_files(
        {"name": "form.png", "mimeType": "image/png", "buffer": PICTURE}
    )
    page.get_by_role("button", name="Hand in for review").click()
    expect(page.get_by_text("is handed in")).to_be_visible()


def _approve(reviewer: Page, sender: str) -> None:
    reviewer.goto("/staff/")
    reviewer.get_by_role("row", name=for_people(sender)).get_by_role("link").click()
    with reviewer.expect_download() as download:
        reviewer.get_by_role("link", name="form.png").click()
    assert download.value.path().read_bytes() == PICTURE
    reviewer.get_by_label("Approve").check()
    reviewer.get_by_role("button", name="Tell the business").click()
    expect(reviewer.get_by_text("is decided")).to_be_visible()


def _write_a_program(page: Page) -> None:
    page.get_by_role("link", name="Write a program").click()
    page.get_by_label("What is it called?").fill("Office news")
    page.get_by_label("The words people agree to").fill("I agree to get news of your office by text.")
    page.get_by_role("button", name="Save program").click()


def _import(page: Page) -> None:
    page.get_by_role("link", name="Contacts", exact=True).click()
    page.get_by_role("link", name="Import contacts").first.click()
    page.get_by_label("Your file").set_input_files(OFFICES)
    page.get_by_role("button", name="Look at the file").click()
    expect(page.get_by_role("heading", name="The first rows as they will become")).to_be_visible()
    page.get_by_label("Since when at the latest?").fill("2026-01-01")
    page.get_by_label("In your words").fill("They ticked the box on our page.")
    page.get_by_role("button", name="Import", exact=True).click()
    page.get_by_role("link", name="Go on to campaigns").click(timeout=30_000)


def _compose(page: Page) -> None:
    page.get_by_role("link", name="New campaign").click()
    page.get_by_label("Campaign name").fill("New hours")
    body = page.get_by_label("Text", exact=True)
    body.fill("We now open at 8 am, ")
    page.get_by_role("button", name="First name").click()
    body.press_sequentially("!")
    expect(body).to_have_value("We now open at 8 am, {{ first_name }}!")
    expect(page.locator("[data-preview]")).to_contain_text("We now open at 8 am, ", timeout=10_000)
    page.get_by_role("button", name="Review and send").click()


def _buy_credits(page: Page) -> None:
    """The 50 credits of the first plan are too few: the review says so, and where to get more."""
    expect(page.get_by_role("heading", name="Who gets it")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Send 587 messages").click()
    expect(page.get_by_text("credits are missing").first).to_be_visible()
    page.get_by_role("link", name="buy credits").click()
    page.get_by_role("button", name="Order on invoice").click()
    expect(page.get_by_text("Waiting for payment")).to_be_visible()


def _pay(reviewer: Page) -> None:
    reviewer.goto("/staff/")
    reviewer.get_by_role("row", name=re.compile("537")).get_by_role("link").click()
    reviewer.get_by_role("dialog").get_by_role("button", name="It is paid").click()
    expect(reviewer.get_by_text("has its credits")).to_be_visible()


def _send(page: Page) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Campaigns").click()
    page.get_by_role("link", name="New hours").click()
    page.get_by_role("button", name="Review and send").click()
    page.get_by_role("button", name=re.compile("^Send ")).click(timeout=30_000)
    expect(page.get_by_text("Completed")).to_be_visible(timeout=60_000)
    expect(page.locator("canvas")).to_be_visible(timeout=10_000)


def _answer(page: Page, phone: str) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Inbox").click()
    page.get_by_role("link", name=re.compile(re.escape(for_people(phone)))).click(timeout=15_000)
    expect(page.get_by_text("Are you open on Friday?")).to_be_visible()
    page.get_by_label("Your answer").fill("Yes, until five.")
    page.get_by_role("button", name="Send the answer").click()
    expect(page.get_by_text("Yes, until five.")).to_be_visible()
    expect(page.get_by_text("· delivered")).to_be_visible(timeout=15_000)
