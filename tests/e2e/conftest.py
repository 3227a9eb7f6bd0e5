"""A real browser before the running product. Where there is no Chromium these tests fail and say what to install."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from common.clock import now
from config.demo.seed import Tenant, seed_tenant
from config.stack import Stack

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="module")
def stack(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with django_db_blocker.unblock(), Stack(tmp_path_factory.mktemp("logs")) as running:
        running.simulator.set_mood(receipt_delay=0.05)
        yield running


@pytest.fixture(scope="module")
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


@pytest.fixture(params=[1280, 360], ids=["wide", "narrow"])
def page(browser: Browser, stack: Stack, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page whose console errors and failed requests fail the test."""
    context = browser.new_context(
        viewport={"width": request.param, "height": 800}, base_url=stack.web_url, java_script_enabled=True
    )
    found = context.new_page()
    faults: list[str] = []
    found.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    found.on("requestfailed", lambda failed: faults.append(f"{failed.url}: {failed.failure}"))
    yield found
    folder = Path(request.config.rootpath) / ".data" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    found.screenshot(path=folder / f"{request.node.name}.png")
    context.close()
    assert faults == []
