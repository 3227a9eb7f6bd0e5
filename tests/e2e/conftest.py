"""A real browser before the running product. Where there is no Chromium these tests fail and say what to install."""

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from common.clock import now
from config.demo.seed import SignIn, Tenant, seed_tenant
from config.stack import Stack

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="package")
def stack(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with django_db_blocker.unblock(), Stack(tmp_path_factory.mktemp("logs")) as running:
        running.simulator.set_mood(receipt_delay=0.05)
        yield running


@pytest.fixture(scope="package")
def tenant(stack: Stack) -> Tenant:
    return seed_tenant(stack, now=now(), rate=200.0)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    assert chromium, "These tests drive Debian's Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        # Playwright's loop is this thread's; Django's guard against queries from loops does not apply to it.
        found = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield found
        found.close()


@contextlib.contextmanager
def watched_page(
    browser: Browser,
    base_url: str,
    *,
    width: int,
    script: bool = True,
    bypass_csp: bool = False,
    refused: Mapping[str, int] | None = None,
) -> Iterator[Page]:
    """A page whose console errors and failed requests fail the test; `refused` names the statuses that are wanted."""
    context = browser.new_context(
        viewport={"width": width, "height": 800}, base_url=base_url, java_script_enabled=script, bypass_csp=bypass_csp
    )
    found = context.new_page()
    faults: list[str] = []
    wanted = tuple(words.format(status) for status in (refused or {}).values() for words in ("status of {}", "Code {}"))

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" and not any(words in message.text for words in wanted):
            faults.append(message.text)

    def miss(request: Request) -> None:
        # A poll that the next page overtakes is no fault.
        if request.failure != "net::ERR_ABORTED":
            faults.append(f"{request.url}: {request.failure}")

    found.on("console", hear)
    found.on("pageerror", lambda error: faults.append(str(error)))
    found.on("requestfailed", miss)
    yield found
    context.close()
    assert faults == []


@pytest.fixture(params=[1280, 360], ids=["wide", "narrow"])
def page(browser: Browser, stack: Stack, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page at both widths; its last look is kept in .data/screenshots."""
    with watched_page(browser, stack.web_url, width=request.param) as found:
        yield found
        folder = Path(request.config.rootpath) / ".data" / "screenshots"
        folder.mkdir(parents=True, exist_ok=True)
        found.screenshot(path=folder / f"{request.node.name}.png")


def sign_in(page: Page, who: SignIn) -> None:
    """Through the page, as anybody would."""
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(who.email)
    page.get_by_label("Password").fill(who.password)
    page.get_by_role("button", name="Sign In").click()
    page.wait_for_url(lambda url: "login" not in url)
