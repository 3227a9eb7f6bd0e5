"""Empty the records of consent whose time of keeping is over: six years after the last text. Runs every day by itself.

Opt-outs stay for ever; the seals keep the digests of what was there. --dry-run only counts.
"""

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand

from accounts.queries import organization_ids
from common.actor import SYSTEM
from common.clock import now
from dashboard.actions import erase_old_consent


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say how many")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        for organization_id in organization_ids():
            phones = erase_old_consent(organization_id, actor=SYSTEM, now=now(), dry_run=dry_run)
            words = "would be emptied" if dry_run else "were emptied"
            self.stdout.write(f"Organization {organization_id}: the records of {phones} phones {words}.")
