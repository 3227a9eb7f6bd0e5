"""Target groups in a browser: the builder as one clicks and types, and the way from a group to a campaign."""

import os
import re

import pytest
from playwright.sync_api import Page, expect

from common.clock import now
from common.tenancy import organization_scope
from config.demo.seed import Tenant
from contacts.models import Contact
from tests.e2e.conftest import sign_in

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

pytestmark = pytest.mark.fault


@pytest.fixture(scope="module", autouse=True)
def people(tenant: Tenant) -> None:
    with organization_scope(tenant.organization.id):
        for name, city in (("Ada", "Springfield"), ("Ben", "Springfield"), ("Cyd", "Shelbyville")):
            Contact.objects.create(
                organization=tenant.organization, first_name=name, city=city, created_at=now(), updated_at=now()
            )


def test_a_group_is_built_counted_and_texted(page: Page, tenant: Tenant) -> None:
    sign_in(page, tenant.owner_sign_in)
    page.goto("/contacts/groups/new/")
    name = f"Springfield {page.viewport_size['width']}"  # type: ignore[index]
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("What is asked").select_option("City")
    page.get_by_label("City: the value").press_sequentially("springfield", delay=20)
    expect(page.locator("[data-people]")).to_have_text("2")
    expect(page.get_by_label("City: the value")).to_be_focused()  # the count came, the field was left alone
    page.get_by_role("button", name="Add a condition").click()
    page.get_by_label("What is asked").nth(1).select_option("Was texted")
    expect(page.get_by_label("Was texted: how many days")).to_be_visible()
    page.get_by_label("Was texted: how it is compared").select_option("never")
    expect(page.get_by_label("Was texted: how many days")).to_have_count(0)
    expect(page.locator("[data-people]")).to_have_text("2")
    page.get_by_role("button", name="Add a group of conditions").first.click()
    inner = page.get_by_role("group", name="A group of conditions")
    inner.get_by_label("First name: the value").fill("Ada")
    expect(page.locator("[data-people]")).to_have_text("1")
    inner.get_by_role("button", name="Remove the group").click()
    expect(page.locator("[data-people]")).to_have_text("2")
    page.get_by_label("City: the value").press("Enter")  # saves, as forms do; it removes nothing
    expect(page.get_by_text(f"“{name}” is kept")).to_be_visible()
    expect(page.get_by_text(re.compile("City is “springfield”"))).to_be_visible()
    page.get_by_role("link", name="Send SMS").click()
    expect(page.get_by_label(name)).to_be_checked()
    expect(page.get_by_label("People on lists or in target groups")).to_be_checked()
