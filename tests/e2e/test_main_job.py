"""The main job as a person does it: through the pages, no script needed."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from common.phones import for_people
from config.demo.seed import Tenant
from config.stack import Stack
from tests.e2e.conftest import sign_in
from tests.servers import ROOT

# Playwright runs a loop in this thread; the fixtures' queries around it are ordinary synchronous ones.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

FILE = ROOT / "config" / "demo" / "sample.csv"

pytestmark = pytest.mark.fault


def test_from_a_file_to_a_sent_campaign(page: Page, tenant: Tenant) -> None:
    sign_in(page, tenant.owner_sign_in)
    name = f"News {page.viewport_size['width']}"  # type: ignore[index]
    page.get_by_role("link", name="Programs").click()
    page.get_by_role("link", name="New program").click()
    page.get_by_label("What is it called?").fill(name)
    page.get_by_label("The words people agree to").fill("I agree to get news by text.")
    page.get_by_role("button", name="Save program").click()
    expect(page.get_by_text(f"“{name}” is saved")).to_be_visible()

    page.get_by_role("link", name="Contacts", exact=True).click()
    page.get_by_role("link", name="Import contacts").first.click()
    page.get_by_label("Your file").set_input_files(FILE)
    page.get_by_role("button", name="Look at the file").click()
    page.get_by_label("What did these people agree to get?").select_option(name)
    page.get_by_label("Since when at the latest?").fill("2026-01-01")
    page.get_by_label("In your words").fill("They ticked the box on our page.")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_role("link", name="Go on to campaigns")).to_be_visible(timeout=20_000)
    page.get_by_role("link", name="Go on to campaigns").click()

    page.get_by_role("link", name="New campaign").click()
    page.get_by_label("Campaign name").fill(name)
    page.get_by_label("Program").select_option(name)
    page.get_by_label("Text", exact=True).fill(f"Hello {{{{ first_name|there }}}}, {name} of the day.")
    page.get_by_role("button", name="Review and send").click()
    expect(page.get_by_role("button", name="Send 12 messages")).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Send 12 messages").click()

    expect(page.get_by_role("heading", name=name)).to_be_visible()
    expect(page.get_by_text(re.compile("12 of 12"))).to_be_visible(timeout=20_000)
    expect(page.get_by_text("Completed")).to_be_visible(timeout=20_000)


def test_a_refusal_says_what_to_do_and_keeps_what_was_typed(page: Page, tenant: Tenant) -> None:
    sign_in(page, tenant.owner_sign_in)
    page.goto("/campaigns/new/")
    page.get_by_label("Campaign name").fill("Broken")
    page.get_by_label("Text", exact=True).fill("Hello {{ frist_name }}")
    page.get_by_role("button", name="Review and send").click()
    expect(page.get_by_text("Did you mean “first_name”?").first).to_be_visible()
    expect(page.get_by_label("Campaign name")).to_have_value("Broken")


def test_a_file_that_is_no_file_of_contacts_is_refused_in_words(page: Page, tenant: Tenant, tmp_path: Path) -> None:
    picture = tmp_path / "people.csv"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 100)
    sign_in(page, tenant.owner_sign_in)
    page.goto("/contacts/import/")
    page.get_by_label("Your file").set_input_files(picture)
    page.get_by_role("button", name="Look at the file").click()
    expect(page.get_by_text("This is not a list of contacts")).to_be_visible()


def test_an_answer_typed_on_the_handset_is_read_and_answered(page: Page, tenant: Tenant, stack: Stack) -> None:
    phone = f"+1256734{page.viewport_size['width']:04}"  # type: ignore[index]
    words = f"When do you open? {phone}"
    stack.simulator.answer(phone=phone, sender=tenant.numbers[0].sender, body=words)
    sign_in(page, tenant.owner_sign_in)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Inbox").click()
    page.get_by_role("link", name=for_people(phone)).click(timeout=15_000)
    expect(page.get_by_text(words)).to_be_visible()
    page.get_by_label("Your answer").fill("At eight, every day.")
    page.get_by_role("button", name="Send the answer").click()
    expect(page.get_by_text("At eight, every day.")).to_be_visible()
    expect(page.get_by_text("· delivered")).to_be_visible(timeout=15_000)
    page.get_by_role("link", name="Billing").click()
    expect(page.get_by_role("heading", name="Billing")).to_be_visible()
