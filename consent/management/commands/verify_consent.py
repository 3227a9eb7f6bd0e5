"""Walk the chains that seal the records of consent; name the first broken link, and every record that was changed.

Ends with 1 where something is not as it was sealed, or what is kept of a phone is not what its records come to. --mend
sets the latter right.
"""

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError

from accounts.queries import organization_ids
from common.clock import now
from common.tenancy import organization_scope
from consent.actions import check_ledger, mend_projection


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organization", type=int, help="its id; all of them where it is left out")
        parser.add_argument("--mend", action="store_true", help="set those that differ to what the records come to")

    def handle(self, *args: Any, organization: int | None, mend: bool, **options: Any) -> None:
        ids = organization_ids()
        if organization is not None and organization not in ids:
            raise CommandError(f"There is no organization {organization}.")
        broken = 0
        for organization_id in ids if organization is None else [organization]:
            if mend:
                self._mend(organization_id)
            broken += self._verify(organization_id)
        if broken:
            raise CommandError(f"{broken} findings.")

    def _verify(self, organization_id: int) -> int:
        with organization_scope(organization_id):
            found = check_ledger(now=now())
        words = "unbroken" if found.unbroken else f"BROKEN, first at link {found.findings[0].sequence}"
        covered = f"{found.links} links over {found.records} records, {found.exported} of them held against the export"
        self.stdout.write(f"Organization {organization_id}: {covered}, {words}. Head {found.head}")
        for finding in found.findings:
            self.stdout.write(f"  {finding}")
        return len(found.findings)

    def _mend(self, organization_id: int) -> None:
        with organization_scope(organization_id):
            mended = mend_projection()
        if mended:
            self.stdout.write(f"Organization {organization_id}: {mended} phones set to what their records come to.")
