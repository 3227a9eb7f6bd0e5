"""Walk the chains that seal the records of consent; name the first broken link, and every record that was changed.

Ends with 1 where something is not as it was sealed. --projection also compares what is kept of each phone with what its
records come to, and --mend sets it right.
"""

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError

from accounts.queries import organization_ids
from common.clock import now
from common.tenancy import organization_scope
from consent.actions import check_ledger, mend_projection
from consent.queries import differences


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organization", type=int, help="its id; all of them where it is left out")
        parser.add_argument("--projection", action="store_true", help="compare consents and opt-outs with the records")
        parser.add_argument("--mend", action="store_true", help="set those that differ to what the records come to")

    def handle(self, *args: Any, organization: int | None, projection: bool, mend: bool, **options: Any) -> None:
        ids = organization_ids()
        if organization is not None and organization not in ids:
            raise CommandError(f"There is no organization {organization}.")
        broken = 0
        for organization_id in ids if organization is None else [organization]:
            broken += self._verify(organization_id)
            if projection or mend:
                broken += self._compare(organization_id, mend=mend)
        if broken:
            raise CommandError(f"{broken} findings.")

    def _verify(self, organization_id: int) -> int:
        with organization_scope(organization_id):
            found = check_ledger(now=now())
        words = "unbroken" if found.unbroken else f"BROKEN, first at link {found.findings[0].sequence}"
        covered = f"{found.links} links over {found.records} records"
        self.stdout.write(f"Organization {organization_id}: {covered}, {words}. Head {found.head}")
        for finding in found.findings:
            self.stdout.write(f"  {finding}")
        return len(found.findings)

    def _compare(self, organization_id: int, *, mend: bool) -> int:
        with organization_scope(organization_id):
            found = [str(difference) for difference in differences()]
            for words in found:
                self.stdout.write(f"  {words}")
            if mend and found:
                self.stdout.write(f"  {mend_projection(now=now())} phones set to what their records come to.")
                return 0
        return len(found)
