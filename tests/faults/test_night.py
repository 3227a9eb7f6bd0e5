"""The night walk with real processes: every hour hands over whom the table of lawful hours allows, each once."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from config.management.commands.demo import SAMPLE

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
