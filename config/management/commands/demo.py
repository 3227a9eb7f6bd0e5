"""Do the main job on a contacts file, with a carrier on the desk; print what came of it."""

import json
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

RATE = 100.0
SAMPLE = Path(__file__).resolve().parent.parent.parent / "demo" / "sample.csv"


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--contacts", type=Path, default=SAMPLE, help="a CSV with a column of phone numbers")
        parser.add_argument("--once", action="store_true", help="end when the campaign is through")

    def handle(self, *args: Any, contacts: Path, once: bool, **options: Any) -> None:
        if not contacts.is_file():
            raise CommandError(f"There is no file {contacts}. Name one with --contacts FILE.")
        console = Console(stderr=True)
        started = time.monotonic()
        call_command("prepare_database", verbosity=0)
        try:
            with Stack(Path(settings.DATA_DIR) / "logs") as stack:
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

    def _serve(self, stack: Stack, tenant: Any) -> None:
        """Keep everything running until Ctrl-C."""
        self.stdout.write(
            f"\nCarillon serves at {stack.web_url}\n"
            f"  owner     {tenant.owner_sign_in.email}  password {tenant.owner_sign_in.password}\n"
            f"  reviewer  {tenant.reviewer_sign_in.email}  password {tenant.reviewer_sign_in.password}\n"
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
