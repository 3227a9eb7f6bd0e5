"""Real processes in another hour: the night walk, and the two nights in which the clocks change."""

import json
import time
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from config.demo.night import NEW_YORK, NightClock
from config.management.commands.demo import SAMPLE
from config.stack import Stack
from tests.faults.conftest import SECONDS, Chance, Sender

pytestmark = [pytest.mark.fault, pytest.mark.slow]

OFFICES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "offices.csv"


def test_hour_by_hour_through_the_night(django_db_setup: None, django_db_blocker: Any, settings: Any) -> None:
    settings.CLOCK_OFFSET = "0"  # the walk changes it in this process too: so it is put back afterwards
    file = OFFICES if OFFICES.exists() else SAMPLE
    out = StringIO()
    with django_db_blocker.unblock():
        call_command("demo", "--night", f"--contacts={file}", stdout=out)
    *hours, end = [json.loads(line) for line in out.getvalue().splitlines()]
    assert len(hours) == 18
    assert all(hour["expected"] == hour["texted"] for hour in hours)
    assert end == {"texted": hours[-1]["texted"], "texted_twice": 0}


@pytest.mark.parametrize(
    "evening", [datetime(2027, 3, 13, 20, 30), datetime(2027, 11, 6, 20, 30)], ids=["spring", "autumn"]
)
def test_after_the_clocks_changed_sending_begins_at_the_same_local_hour(
    django_db_setup: None,
    django_db_blocker: Any,
    settings: Any,
    tmp_path: Path,
    chance: Chance,
    evening: datetime,
) -> None:
    """Nine in the morning is an hour earlier than a day before by UTC, or an hour later."""
    closes = evening.replace(tzinfo=NEW_YORK)
    opens = (closes + timedelta(days=1)).replace(hour=9, minute=0)
    assert opens.utcoffset() != closes.utcoffset()
    clock = NightClock(tmp_path / "clock")
    clock.set(closes - timedelta(hours=1))
    settings.CLOCK_OFFSET = clock.setting
    environment = SECONDS | {"CARILLON_CLOCK_OFFSET": clock.setting}
    with django_db_blocker.unblock(), Stack(tmp_path, environment=environment, without=("web",)) as stack:
        sender = Sender(stack, people=60, rate=10.0, area=212)

        def taken() -> list[float]:
            return [text["taken_at"] for text in stack.simulator.texts(sender.number.sender)]

        sender.confirm(sender.world.campaign(hours=((9 * 60, 20 * 60 + 30),) * 7))
        sender.handed_over(3)
        clock.set(closes - timedelta(seconds=chance.between(0.5, 3)))
        time.sleep(4.5)
        before = len(taken())
        assert 3 <= before <= 50, "a few seconds of the evening were left"
        for early in (timedelta(hours=1), timedelta(minutes=10)):
            clock.set(opens - early)
            time.sleep(1.5)
        assert len(taken()) == before, "nothing is sent at an hour that was the right one yesterday"
        real = time.time()
        clock.set(opens - timedelta(seconds=2))
        assert sender.finish().handed_over == 60
        begun = min(moment for moment in taken() if moment > real) - real
        assert 1.9 <= begun <= 5.0, "from nine o'clock on"
        sender.prove()
