"""The composer in a browser: closed tabs, second windows, lost sessions, no script, no mouse."""

import io
import os
import re
import secrets
from collections.abc import Callable, Iterator

import pytest
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Locator, Page, Route, expect

from accounts.models import Membership, Organization, User
from accounts.rules.permissions import Role
from common.clock import now
from common.tenancy import organization_scope
from config.demo.seed import SignIn, Tenant
from config.demo.walk import import_file, progress_bars
from config.stack import Stack
from senders.actions import add_number, set_number_status
from senders.models import NumberStatus, SenderKind
from tests.e2e.conftest import sign_in, watched_page
from tests.servers import ROOT

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

pytestmark = pytest.mark.fault

FILE = ROOT / "config" / "demo" / "sample.csv"


@pytest.fixture(scope="module", autouse=True)
def people(stack: Stack, tenant: Tenant) -> None:
    from rich.console import Console

    with progress_bars(Console(quiet=True)) as bars:
        import_file(tenant, FILE, stack, bars)


@pytest.fixture
def colleague(tenant: Tenant) -> SignIn:
    """Another person who may send campaigns."""
    password = secrets.token_urlsafe(9)
    user = User.objects.create_user(f"colleague-{secrets.token_hex(4)}@demo.example", password, name="Ann Admin")
    with organization_scope(tenant.organization.id):
        Membership.objects.create(
            organization=tenant.organization, user=user, role=Role.ADMINISTRATOR, created_at=now()
        )
    return SignIn(user.email, password)


@pytest.fixture
def page(browser: Browser, stack: Stack, tenant: Tenant) -> Iterator[Page]:
    with watched_page(browser, stack.web_url, width=1280, refused={"signed out": 401}) as found:
        sign_in(found, tenant.owner_sign_in)
        yield found


def body(page: Page) -> Locator:
    return page.get_by_label("Text", exact=True)


def wait_until(page: Page, true: Callable[[], bool]) -> None:
    for _ in range(100):
        if true():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it did not come about within 5 seconds")


def begin(page: Page, words: str) -> None:
    page.goto("/campaigns/new/")
    page.get_by_label("Campaign name").fill(words)
    body(page).fill(words)
    expect(page.locator("[data-preview]")).to_contain_text(words, timeout=10_000)
    expect(page.locator("#saved")).to_have_text(re.compile("saved"))


def test_a_closed_tab_loses_nothing(page: Page) -> None:
    begin(page, "Half a thought")
    assert re.search(r"/campaigns/\d+/edit/", page.url)
    address = page.url
    page.goto("/campaigns/")
    page.get_by_role("link", name="Half a thought").click()
    assert page.url == address
    expect(body(page)).to_have_value("Half a thought")
    page.goto("/contacts/")
    page.go_back()
    expect(body(page)).to_have_value("Half a thought")


def test_what_was_typed_a_moment_before_the_tab_closed_comes_back(page: Page) -> None:
    begin(page, "Half a thought")
    address = page.url
    page.get_by_label("Campaign name").fill("Another name")
    body(page).fill("Closed before it was saved")
    page.goto("/contacts/")
    page.goto(address)
    expect(body(page)).to_have_value("Closed before it was saved")
    expect(page.get_by_label("Campaign name")).to_have_value("Another name")
    expect(page.locator("[data-preview]")).to_contain_text("Closed before it was saved", timeout=10_000)


def test_a_tab_closed_while_one_saving_follows_another_loses_nothing(page: Page) -> None:
    """The second saving leaves as the first is answered: that answer does not know the newest words."""
    begin(page, "Half a thought")
    address = page.url
    held: list[Route] = []
    page.route("**/campaigns/draft/", lambda route: held.append(route))
    page.get_by_label("Campaign name").fill("Another name")
    body(page).fill("Never received")
    body(page).blur()
    wait_until(page, lambda: len(held) == 1)
    held[0].continue_()
    wait_until(page, lambda: len(held) == 2)
    page.wait_for_timeout(200)  # longer than htmx takes to settle the first answer
    page.goto("/contacts/")
    page.unroute("**/campaigns/draft/")
    page.goto(address)
    expect(body(page)).to_have_value("Never received")


def test_a_second_window_overwrites_nothing_unseen(page: Page) -> None:
    begin(page, "The first words")
    other = page.context.new_page()
    other.goto(page.url)
    body(other).fill("Words of the other window")
    expect(other.locator("[data-preview]")).to_contain_text("Words of the other window")
    body(page).fill("Words of this window")
    expect(page.get_by_text("in another window")).to_be_visible()
    expect(body(page)).to_have_value("Words of this window")
    page.get_by_role("button", name="Save mine over it").click()
    other.goto(other.url)
    other.wait_for_load_state()
    page.goto("/campaigns/")
    page.get_by_role("link", name="The first words").click()
    expect(body(page)).to_have_value("Words of this window")
    other.close()


def test_a_lost_session_keeps_the_words_until_the_next_sign_in(page: Page, tenant: Tenant) -> None:
    begin(page, "Before")
    address = page.url
    page.context.clear_cookies(name="sessionid")
    body(page).fill("Typed while signed out")
    expect(page.locator("#saved")).to_have_text(re.compile("you were signed out"), timeout=10_000)
    sign_in(page, tenant.owner_sign_in)
    page.goto(address)
    expect(body(page)).to_have_value("Typed while signed out")
    expect(page.locator("[data-preview]")).to_contain_text("Typed while signed out", timeout=10_000)


def test_a_double_click_sends_once(page: Page, tenant: Tenant) -> None:
    begin(page, "Only once")
    page.get_by_role("button", name="Review and send").dblclick()
    send = page.get_by_role("button", name=re.compile("^Send "))
    expect(send).to_be_visible(timeout=20_000)
    address = page.url
    send.dblclick()
    expect(page.get_by_text("Completed")).to_be_visible(timeout=30_000)
    page.goto(address)  # back to the confirmation: it leads to what runs
    assert re.search(r"/campaigns/\d+/$", page.url)
    expect(page.get_by_text("12 of 12")).to_be_visible()


def test_without_a_script_a_campaign_is_read_and_sent(browser: Browser, stack: Stack, tenant: Tenant) -> None:
    with watched_page(browser, stack.web_url, width=1280, script=False) as page:
        sign_in(page, tenant.owner_sign_in)
        page.goto("/campaigns/new/")
        page.get_by_label("Campaign name").fill("Plain")
        page.get_by_label("Text", exact=True).fill("Plain words for {{ first_name|you }}")
        page.get_by_role("button", name="Review and send").click()
        send = page.get_by_role("button", name=re.compile("^Send 12"))
        expect(send).to_be_visible(timeout=20_000)  # the page loads itself anew while the quote is made
        send.click()
        expect(page.get_by_text("Completed")).to_be_visible(timeout=30_000)
        page.get_by_role("link", name="See everybody").click()
        expect(page.get_by_role("row")).to_have_count(13)


def test_nothing_needs_a_mouse(page: Page, tenant: Tenant, stack: Stack) -> None:
    page.goto("/campaigns/")
    press(page, page.get_by_role("link", name="New campaign"), "Enter")
    type_into(page, page.get_by_label("Campaign name"), "By keyboard")
    type_into(page, body(page), "Hello ")
    press(page, page.get_by_role("button", name="First name"), "Enter")
    expect(body(page)).to_be_focused()
    expect(body(page)).to_have_value("Hello {{ first_name }}")
    reach(page, page.get_by_label("As soon as you confirm"))
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Day and time", exact=True)).to_be_visible()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_label("Day and time", exact=True)).to_be_hidden()
    press(page, page.get_by_role("button", name="Review and send"), "Enter", back=True)
    expect(page.get_by_role("button", name=re.compile("^Send "))).to_be_visible(timeout=20_000)
    with organization_scope(tenant.organization.id):
        type(tenant.numbers[0]).objects.filter(id=tenant.numbers[0].id).update(segments_per_second=1)
    try:
        press(page, page.get_by_role("button", name=re.compile("^Send ")), "Enter")
        press(page, page.get_by_role("link", name="Cancel the rest"), "Enter")
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_text("never will be")).to_be_visible()
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        press(page, page.get_by_role("link", name="Cancel the rest"), "Enter", back=True)
        press(page, dialog.get_by_role("button", name="Cancel the rest"), "Enter")
        expect(page.get_by_text("Canceled", exact=True)).to_be_visible()
    finally:
        with organization_scope(tenant.organization.id):
            type(tenant.numbers[0]).objects.filter(id=tenant.numbers[0].id).update(segments_per_second=200)
    page.goto("/numbers/")
    press(page, page.get_by_label(re.compile("^What to do with")), "Enter")
    expect(page.get_by_role("link", name="See the registration")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="See the registration")).to_be_hidden()
    page.goto("/contacts/")
    press(page, page.get_by_role("checkbox").nth(1), "Space")
    type_into(page, page.get_by_label("Name of the new list"), "Chosen by keyboard", back=True)
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 more on “Chosen by keyboard”")).to_be_visible()


@pytest.mark.parametrize(
    "words",
    [
        "It’s “spring” – come and see…",
        "Party 🎉👩‍👩‍👧‍👦 at {{ organization }} with {{ first_name|a friend }}",
        "One\r\nTwo\r\n\r\nThree",
        "{{ link|https://example.org/spring }} ½ price e\u0301",
        "Text STOP to stop. " * 12,
    ],
    ids=["curly", "emoji", "lines", "link", "long"],
)
def test_the_counter_in_the_browser_is_the_servers(page: Page, words: str) -> None:
    """What is pasted is counted alike on both sides, and the quote says what the composer said."""
    page.goto("/campaigns/new/")
    page.get_by_label("Campaign name").fill("Counted")
    body(page).focus()
    page.keyboard.insert_text(words)
    expect(page.locator("[data-preview]")).to_be_visible(timeout=10_000)
    expect(page.locator("#saved")).to_have_text(re.compile("saved"))
    expect(page.locator("#room")).to_have_text(f"{page.locator('[data-left]').inner_text()} characters left")
    shown = page.locator(".three strong").all_inner_texts()
    text = page.locator("[data-preview]").inner_text()
    page.get_by_role("button", name="Review and send").click()
    expect(page.get_by_role("button", name=re.compile("^Send "))).to_be_visible(timeout=20_000)
    assert page.locator(".bubble").inner_text() == text
    each = re.search(r": (\d+) segments?, (\d+) credits?", page.locator(".beside").inner_text())
    assert each is not None
    assert each.groups() == (shown[1], shown[2])


def test_typing_stops_at_the_limit(page: Page) -> None:
    begin(page, "x" * 570)
    body(page).press("End")
    page.keyboard.insert_text("abcdefghijklmnop")
    expect(body(page)).to_have_value("x" * 570 + "abcdefghij")  # with “Reply STOP to stop.” and its line: 600
    expect(page.locator("#room")).to_have_text("The text is full at 600 characters: 6 did not fit.")
    page.keyboard.type("q")
    expect(body(page)).to_have_value("x" * 570 + "abcdefghij")
    page.keyboard.press("Backspace")
    expect(page.locator("#room")).to_have_text("1 character left")
    body(page).press("Control+Home")
    page.keyboard.insert_text("12345")
    expect(body(page)).to_have_value("1" + "x" * 570 + "abcdefghi")


def test_fields_links_and_emoji_by_keyboard(page: Page) -> None:
    begin(page, "Hello ")
    press(page, page.get_by_role("button", name="More fields…"), "Enter")
    dialog = page.get_by_role("dialog")
    reach(page, dialog.get_by_label("First name"))
    page.keyboard.press("ArrowDown")
    type_into(page, dialog.get_by_label("Written where it is empty"), "friend")
    press(page, dialog.get_by_role("button", name="Save"), "Enter")
    expect(body(page)).to_have_value("Hello {{ last_name|friend }}")
    press(page, page.get_by_role("button", name="Link…"), "Enter")
    type_into(page, dialog.get_by_label("Where it leads"), "https://example.org/a?b=c")
    page.keyboard.press("Enter")
    expect(body(page)).to_have_value("Hello {{ last_name|friend }}{{ link|https://example.org/a?b=c }}")
    press(page, page.get_by_role("button", name="Emoji…"), "Enter")
    expect(page.get_by_label("Find an emoji")).to_be_focused()
    page.keyboard.type("party popper")
    expect(dialog.get_by_role("button", name="party popper")).to_be_visible()
    page.keyboard.press("Enter")
    expect(body(page)).to_have_value(re.compile("🎉$"))
    expect(body(page)).to_be_focused()
    expect(page.get_by_text("has no plain form")).to_be_visible(timeout=10_000)
    press(page, page.get_by_role("button", name="Emoji…"), "Enter")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_a_costly_character_is_shown_and_replaced(page: Page) -> None:
    begin(page, "We are open")
    body(page).fill("We’re open")
    expect(page.get_by_text("right single quotation mark, at 3")).to_be_visible()
    expect(page.locator("[data-preview] mark")).to_have_text("'")
    press(page, page.get_by_role("button", name="Replace in the text"), "Enter")
    expect(body(page)).to_have_value("We're open")
    expect(page.get_by_text("What makes it expensive")).to_be_hidden(timeout=10_000)


def test_a_template_is_put_in_by_keyboard(page: Page) -> None:
    page.goto("/templates/new/")
    type_into(page, page.get_by_label("Name"), "Opening hours")
    type_into(page, page.get_by_label("Text", exact=True), "We open at eight, {{ first_name|friend }}.")
    press(page, page.get_by_role("button", name="Save", exact=True), "Enter")
    expect(page.get_by_text("“Opening hours” is kept.")).to_be_visible()
    page.goto("/campaigns/new/")
    press(page, page.get_by_text("Template, language, description"), "Enter")
    page.get_by_label("Begin with a template").select_option(label="Opening hours")
    press(page, page.get_by_role("button", name="Use the template"), "Enter")
    expect(body(page)).to_have_value("We open at eight, {{ first_name|friend }}.")


def test_a_name_as_sender_counts_its_way_out_as_the_server_does(page: Page, tenant: Tenant) -> None:
    with organization_scope(tenant.organization.id):
        number = tenant.numbers[0]
        name = add_number(
            carrier_account_id=number.carrier_account_id,
            sender=f"Shop {secrets.token_hex(3)}"[:11],
            kind=SenderKind.ALPHANUMERIC,
            segments_per_second=None,
            department=number.department,
            actor=tenant.owner,
            now=now(),
        )
        set_number_status(name.id, status=NumberStatus.REGISTERED, actor=tenant.owner, now=now())
    try:
        begin(page, "See you soon")
        for chosen, words in ((str(name), "No more texts: http"), (str(number), "Reply STOP to stop.")):
            page.get_by_label("From").select_option(label=chosen)
            expect(page.locator("[data-preview]")).to_contain_text(words, timeout=10_000)
            expect(page.locator("#room")).to_have_text(f"{page.locator('[data-left]').inner_text()} characters left")
    finally:
        with organization_scope(tenant.organization.id):
            set_number_status(name.id, status=NumberStatus.SUSPENDED, actor=tenant.owner, now=now())


def picture(name: str, colour: str) -> FilePayload:
    drawn = io.BytesIO()
    Image.new("RGB", (60, 40), colour).save(drawn, "PNG")
    return {"name": name, "mimeType": "image/png", "buffer": drawn.getvalue()}


def test_pictures_are_chosen_dropped_and_removed(page: Page) -> None:
    begin(page, "Look at this")
    shown = page.get_by_role("img", name=re.compile("of the text"))
    page.get_by_label("Pictures").set_input_files([picture("door.png", "red"), picture("hall.png", "green")])
    expect(shown).to_have_count(2, timeout=10_000)
    expect(page.get_by_text("any length is one message")).to_be_visible()
    expect(page.get_by_label("Pictures")).to_have_value("")
    dropped = page.evaluate_handle(
        """bytes => {
            const files = new DataTransfer();
            files.items.add(new File([new Uint8Array(bytes)], "dropped.png", { type: "image/png" }));
            return files;
        }""",
        list(picture("dropped.png", "blue")["buffer"]),
    )
    page.dispatch_event("[data-drop]", "drop", {"dataTransfer": dropped})
    expect(shown).to_have_count(3, timeout=10_000)
    page.get_by_label("Pictures").set_input_files(
        {"name": "holiday.jpg", "mimeType": "image/jpeg", "buffer": b"%PDF-1.7 not a picture"}
    )
    expect(page.get_by_role("alert").filter(has_text="holiday.jpg")).to_be_visible(timeout=10_000)
    expect(shown).to_have_count(3)
    expect(body(page)).to_have_value("Look at this")
    page.goto(page.url)
    expect(shown).to_have_count(3)
    press(page, page.get_by_role("button", name="Remove picture 2"), "Enter")
    expect(shown).to_have_count(2, timeout=10_000)
    expect(body(page)).to_have_value("Look at this")


def test_a_second_person_approves_by_keyboard(
    page: Page, browser: Browser, stack: Stack, tenant: Tenant, colleague: SignIn
) -> None:
    page.goto("/settings/")
    type_into(page, page.get_by_label(re.compile("approv")), "5")
    press(page, page.get_by_role("button", name="Save"), "Enter")
    expect(page.get_by_role("status").first).to_be_visible()
    try:
        begin(page, "Four eyes")
        press(page, page.get_by_role("button", name="Review and send"), "Enter", back=True)
        ask = page.get_by_role("button", name="Ask for approval of 12 messages")
        expect(ask).to_be_visible(timeout=20_000)
        press(page, ask, "Enter")
        expect(page.get_by_text("You asked your colleagues to approve")).to_be_visible()
        with watched_page(browser, stack.web_url, width=1280) as other:
            sign_in(other, colleague)
            other.goto("/")
            notice = other.get_by_role("status").filter(has_text="Four eyes")
            press(other, notice.get_by_role("link", name="Go there"), "Enter")
            expect(other.get_by_text("asks for your approval")).to_be_visible()
            press(other, other.get_by_role("button", name=re.compile("^Send |^Approve")), "Enter")
            expect(other.get_by_text("Completed")).to_be_visible(timeout=30_000)
    finally:
        with organization_scope(tenant.organization.id):
            Organization.objects.filter(id=tenant.organization.id).update(approval_above=None)


def reach(page: Page, wanted: Locator, *, back: bool = False) -> None:
    """Move the focus there with the Tab key alone."""
    for _ in range(80):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Shift+Tab" if back else "Tab")
    raise AssertionError(f"the Tab key does not lead to {wanted}")


def press(page: Page, wanted: Locator, key: str, *, back: bool = False) -> None:
    reach(page, wanted, back=back)
    page.keyboard.press(key)


def type_into(page: Page, wanted: Locator, words: str, *, back: bool = False) -> None:
    reach(page, wanted, back=back)
    page.keyboard.type(words)
