"""A program with a public page, written with the check beside it, and somebody who joins on it."""

import re

import pytest
from playwright.sync_api import Page, expect

from config.demo.seed import Tenant
from tests.e2e.conftest import sign_in

pytestmark = pytest.mark.fault


def test_a_page_is_written_and_somebody_joins_on_it(page: Page, tenant: Tenant) -> None:
    width = page.viewport_size["width"]  # type: ignore[index]
    sign_in(page, tenant.owner_sign_in)
    page.goto("/programs/new/")
    page.get_by_label("What is it called?").fill(f"Deals {width}")
    page.get_by_label("What do people get?").select_option("PROMOTIONAL")
    page.get_by_label("Number that people text").select_option(index=1)
    page.get_by_label("A public sign-up page of its own").check()
    page.get_by_label("Address of your terms").fill("example.org/terms")
    page.get_by_label("Address of your privacy policy").fill("example.org/privacy")
    page.get_by_label("The words people agree to").fill("I agree.")
    expect(page.get_by_text("How to stop")).to_be_visible()
    page.get_by_role("button", name="Save program").click()
    expect(page.get_by_text("Missing: who texts")).to_be_visible()
    page.get_by_label("The words people agree to").fill("")
    page.get_by_role("button", name="Write the words for me").click()
    expect(page.locator("#checks .lacks")).to_have_count(0)
    page.get_by_role("button", name="Save program").click()
    expect(page.get_by_text("is saved")).to_be_visible()

    page.locator('a[href*="/join/"]').first.click()
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_text("That was quick")).to_be_visible()
    page.get_by_label("Mobile number").fill("12")
    page.get_by_role("checkbox", name=re.compile(f"Deals {width}")).check()
    page.wait_for_timeout(2_100)
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_text("enter your mobile number")).to_be_visible()
    expect(page.get_by_label("Mobile number")).to_be_focused()
    expect(page.get_by_role("checkbox", name=re.compile(f"Deals {width}"))).to_be_checked()
    page.get_by_label("Mobile number").fill(f"(205) 221-{width:04}")
    page.wait_for_timeout(2_100)
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", name="Almost there")).to_be_visible()

    page.goto(f"/consent/?phone=205221{width:04}")
    expect(page.get_by_text(f"Agreed: Deals {width}")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Take the evidence pack").click()
    assert download.value.path().stat().st_size > 10_000
