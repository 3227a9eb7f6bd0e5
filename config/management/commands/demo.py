"""Do the main job on a contacts file, with a carrier on the desk; print what came of it."""

import json
import os
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from rich.console import Console

from common.clock import now
from common.errors import DomainError
from config.demo.night import NightClock, next_night, use_clock, walk_through_the_night
from config.demo.seed import seed_tenant
from config.demo.walk import (
    DemoFailed,
    broken_invariants,
    import_file,
    progress_bars,
    report,
    start_campaign,
    watch,
)
from config.processes import ProcessEnded
from config.stack import Stack
from consent.rules.media import Level

RATE = 100.0
SAMPLE = Path(__file__).resolve().parent.parent.parent / "demo" / "sample.csv"


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--contacts", type=Path, default=SAMPLE, help="a CSV with a column of phone numbers")
        parser.add_argument("--once", action="store_true", help="end when the campaign is through")
        parser.add_argument(
            "--night", action="store_true", help="a promotional campaign at 22:00 in New York, hour by hour until 15:00"
        )

    def handle(self, *args: Any, contacts: Path, once: bool, night: bool, **options: Any) -> None:
        if not contacts.is_file():
            raise CommandError(f"There is no file {contacts}. Name one with --contacts FILE.")
        console = Console(stderr=True)
        started = time.monotonic()
        call_command("prepare_database", verbosity=0)
        try:
            if night:
                self._night(contacts, console)
                return
            with Stack(Path(settings.DATA_DIR) / "logs" / str(os.getpid())) as stack:
                tenant = seed_tenant(stack, now=now(), rate=RATE)
                with progress_bars(console) as bars:
                    done = import_file(tenant, contacts, stack, bars)
                    progress = watch(tenant, start_campaign(tenant, bars), stack, bars)
                figures = report(tenant, done, progress, stack, time.monotonic() - started)
                broken = broken_invariants(tenant, progress, figures, stack)
                if not once:
                    self._serve(stack, tenant)
        except (DemoFailed, ProcessEnded, DomainError) as error:
            raise CommandError(str(error)) from error
        for words in broken:
            console.print(f"An invariant broke: {words}.", style="bold red")
        self.stdout.write(json.dumps(figures.as_json()))
        sys.stdout.flush()
        if broken:
            sys.exit(1)

    def _night(self, contacts: Path, console: Console) -> None:
        """Print an hour a line, as JSON."""
        clock = NightClock(Path(settings.DATA_DIR) / f"clock-{os.getpid()}")
        use_clock(clock, next_night())
        environment = {"CARILLON_CLOCK_OFFSET": clock.setting}
        with Stack(Path(settings.DATA_DIR) / "logs" / str(os.getpid()), environment=environment) as stack:
            tenant = seed_tenant(stack, now=now(), rate=RATE, level=Level.PROMOTIONAL)
            with progress_bars(console) as bars:
                import_file(tenant, contacts, stack, bars)
                for hour in walk_through_the_night(tenant, stack, clock, bars):
                    line = {"new_york": f"{hour.at:%a %H:%M}", "expected": hour.expected, "texted": hour.handed_over}
                    self.stdout.write(json.dumps(line))
            twice = stack.simulator.record([number.sender for number in tenant.numbers])["texted_twice"]
            self.stdout.write(json.dumps({"texted": hour.handed_over, "texted_twice": twice}))
            if twice:
                sys.exit(1)

    def _serve(self, stack: Stack, tenant: Any) -> None:
        """Keep everything running until Ctrl-C."""
        self.stdout.write(
            f"\nCarillon serves at {stack.web_url}\n"
            f"  owner     {tenant.owner_sign_in.email}  password {tenant.owner_sign_in.password}\n"
            f"  staff     {tenant.staff_sign_in.email}  password {tenant.staff_sign_in.password}\n"
            f"  handsets  {stack.simulator.base_url}/handset\n"
            "Ctrl-C ends it."
        )
        self.stdout.flush()
        try:
            while True:
                stack.supervisor.check()
                time.sleep(0.5)
        except KeyboardInterrupt:
            self.stdout.write("")
