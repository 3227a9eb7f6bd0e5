"""The campaign from the shell, verb after verb."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.world import World


def campaign(world: World, *arguments: object) -> Any:
    out = StringIO()
    call_command("campaign", f"--organization={world.id}", *map(str, arguments), stdout=out)
    return json.loads(out.getvalue())


@pytest.fixture
def drafted(world: World) -> dict[str, int]:
    world.add_contact("+12567346043", first_name="Ada")
    found: dict[str, int] = campaign(
        world,
        *("draft", "--name=News", "--body=Hello {{ first_name }}"),
        *(f"--program={world.program.id}", f"--number={world.number.id}"),
    )
    return found


def test_from_draft_to_canceled(world: World, drafted: dict[str, int]) -> None:
    quote = campaign(world, "quote", drafted["outreach"])
    assert (quote["recipients"], quote["credits"]) == (1, 1)
    assert campaign(world, "launch", drafted["outreach"], f"--quote={quote['quote']}")["state"] == "OPEN"
    assert campaign(world, "progress", drafted["outreach"])["credits_held"] == 1
    for verb in ("pause", "resume", "cancel"):
        campaign(world, verb, drafted["campaign"])
    campaign(world, "complete")
    assert campaign(world, "progress", drafted["outreach"])["state"] == "CLOSED"


def test_a_refusal_is_said_in_words(world: World, drafted: dict[str, int]) -> None:
    quote = campaign(world, "quote", drafted["outreach"])
    campaign(world, "quote", drafted["outreach"])
    with pytest.raises(CommandError, match="changed since you saw it"):
        campaign(world, "launch", drafted["outreach"], f"--quote={quote['quote']}")
    with pytest.raises(CommandError, match="cannot become paused"):
        campaign(world, "pause", drafted["campaign"])
