"""Every page as it looks and as assistive technology reads it; `make tour` keeps the pictures (docs/tour.md)."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import resolve
from playwright.sync_api import Browser, Page

from config.demo.seed import SignIn
from config.stack import Stack
from tests.architecture.test_isolation import POSTED, PUBLIC, routes
from tests.e2e.conftest import sign_in, watched_page
from tests.e2e.scene import PUBLIC_PAGES, Scene, build_scene
from tests.servers import ROOT

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

pytestmark = pytest.mark.fault

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
LOOKS = [(1280, "light"), (360, "dark"), (1280, "dark"), (360, "light")]
FILES = (
    "<slug:what>.<slug:ending>",
    "errors.csv",
    "template.csv",
    "everything.json",
    "evidence",
    "<int:evidence_id>/file/",
    "export/<int:export_id>/file/",
    "pictures/<int:picture_id>/",
)
PARTS = ("groups/<int:group_id>/count/",)
"""What a page fetches into itself."""
# What must be seen before a picture is taken, and where a page answers with a refusal on purpose.
STATUS = {"nothing here": 404, "not for you": 403}


@pytest.fixture(scope="module")
def scene(stack: Stack) -> Scene:
    return build_scene(stack)


@pytest.fixture(scope="module")
def pages(scene: Scene) -> list[tuple[str, str, SignIn | None]]:
    """Name, address, and who looks at it."""
    tenant = scene.tenant
    return [
        *((name, address, None) for name, address in PUBLIC_PAGES.items()),
        *((name, address, tenant.owner_sign_in) for name, address in scene.pages.items()),
        *((name, address, tenant.staff_sign_in) for name, address in scene.staff_pages.items()),
    ]


def looking(
    browser: Browser, stack: Stack, pages: list[tuple[str, str, SignIn | None]], width: int, theme: str
) -> Iterator[tuple[str, str, Page]]:
    """Each page in turn, as its reader sees it: one browser for each reader."""
    for who in dict.fromkeys(person for _, _, person in pages):
        with watched_page(browser, stack.web_url, width=width, bypass_csp=True, refused=STATUS) as page:
            page.context.add_cookies([{"name": "theme", "value": theme, "url": stack.web_url}])
            if who is not None:
                sign_in(page, who)
            for name, address, person in pages:
                if person == who:
                    answer = page.goto(address)
                    assert answer is not None
                    assert answer.status == STATUS.get(name, 200), (name, answer.status)
                    yield name, address, page


def faults_of(page: Page, name: str, width: int) -> list[tuple[str, str, str]]:
    """What axe finds on a page, and whether it is wider than its window."""
    page.evaluate(AXE.read_text())
    violations = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    found = [(name, violation["id"], violation["nodes"][0]["html"][:200]) for violation in violations]
    wide = page.evaluate("document.documentElement.scrollWidth")
    return found if wide <= width else [*found, (name, "wider than the window", str(wide))]


@pytest.mark.parametrize("turn", [0, 1])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(
    browser: Browser, stack: Stack, pages: Any, turn: int
) -> None:
    """Every page once: wide and light, or narrow and dark, in turns."""
    width, theme = LOOKS[turn]
    found = []
    for name, _address, page in looking(browser, stack, pages[turn::2], width, theme):
        found += faults_of(page, name, width)
    assert not found, "\n".join(map(str, found))


@pytest.mark.slow
@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_axe_finds_nothing_in_any_look(browser: Browser, stack: Stack, pages: Any, width: int, theme: str) -> None:
    found = []
    for name, _address, page in looking(browser, stack, pages, width, theme):
        found += faults_of(page, name, width)
    assert not found, "\n".join(map(str, found))


def test_no_page_is_missing(scene: Scene) -> None:
    shown = {resolve(address).route for address in [*scene.pages.values(), *scene.staff_pages.values()]}
    wanted = {path for path, _ in routes() if path not in {*PUBLIC, *POSTED} and not path.endswith((*FILES, *PARTS))}
    assert wanted - shown == set()


@pytest.mark.tour
def test_take_the_pictures(browser: Browser, stack: Stack, pages: Any) -> None:
    """`make tour`: docs/tour.md with every page at both widths, light and dark."""
    folder = ROOT / "docs" / "tour"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.jpeg"):
        old.unlink()
    taken: dict[str, list[Path]] = {name: [] for name, _, _ in pages}
    for width, theme in sorted(LOOKS):
        for name, _address, page in looking(browser, stack, pages, width, theme):
            picture = folder / f"{name.replace(', ', '-').replace(' ', '-')}-{width}-{theme}.jpeg"
            page.wait_for_timeout(300)
            page.screenshot(path=picture, full_page=True, type="jpeg", quality=60)
            taken[name].append(picture)
    lines = ["# Every page", "", "Taken by `make tour`: at 360 and 1280 pixels, dark and light.", ""]
    for name, pictures in taken.items():
        lines += [f"## {name.capitalize()}", ""]
        lines += [
            f"![{name}, {picture.stem.split('-')[-2]} px, {picture.stem.split('-')[-1]}](tour/{picture.name})"
            for picture in pictures
        ]
        lines.append("")
    (ROOT / "docs" / "tour.md").write_text("\n".join(lines))
