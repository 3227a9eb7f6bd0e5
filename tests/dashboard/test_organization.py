"""The organization's settings and its days off, on their pages."""

from datetime import timedelta

import pytest
from django.test import Client

from accounts.actions import SettingRefused, Settings, change_settings
from accounts.models import BlackoutDate, Organization
from common.clock import now
from tests.world import ACTOR, World


def test_settings_are_kept_where_they_can_be(world: World, client: Client) -> None:
    client.force_login(world.owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    fields = {"message_char_limit": "480", "opt_out_word": "BASTA", "approval_above": "", "stop_scope": "ALL"}
    assert client.post("/settings/", fields).status_code == 302
    with world.scope():
        organization = Organization.objects.get(id=world.id)
    assert (organization.message_char_limit, organization.opt_out_word) == (480, "BASTA")
    for wrong, words in (
        ({"message_char_limit": "9999"}, "1600"),
        ({"opt_out_word": "HELP"}, "cannot be the word"),
        ({"approval_above": "10"}, "Nobody else here could approve"),
    ):
        page = client.post("/settings/", fields | wrong).content.decode()
        assert words in page, wrong
    with world.scope(), pytest.raises(SettingRefused):
        change_settings(Settings(0, "STOP", None), actor=ACTOR, now=world.now)


def test_days_off_are_added_told_and_removed(world: World, client: Client) -> None:
    client.force_login(world.owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    day = now().date() + timedelta(days=5)
    assert client.post("/settings/days-off/", {"day": day.isoformat(), "name": "Thanksgiving"}).status_code == 302
    page = client.get("/settings/days-off/").content.decode()
    assert "Thanksgiving" in page
    for wrong, words in (
        ({"day": "yesterday"}, "valid date"),
        ({"day": "2020-01-01"}, "from today on"),
        ({"day": "2999-01-01"}, "next two years"),
    ):
        assert words in client.post("/settings/days-off/", wrong).content.decode()
    assert "On 1 day to come" in client.get("/settings/").content.decode()
    with world.scope():
        found = BlackoutDate.objects.get()
    assert client.post(f"/settings/days-off/{found.id}/remove/").status_code == 302
    assert client.post(f"/settings/days-off/{found.id}/remove/").status_code == 302, "the second click"
    assert "Thanksgiving" not in client.get("/settings/days-off/").content.decode()
