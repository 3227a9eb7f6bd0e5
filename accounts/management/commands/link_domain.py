"""Begin an organization's short links with its own host; without a host: with the installation's."""

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError

from accounts.actions import set_link_domain
from accounts.queries import organizations_named
from common.actor import Actor
from common.clock import now
from common.errors import DomainError
from common.tenancy import organization_scope


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("organization", help="its name, or its number")
        parser.add_argument("host", nargs="?", default="", help="such as go.example.org; it must be in ALLOWED_HOSTS")

    def handle(self, *args: Any, organization: str, host: str, **options: Any) -> None:
        found = organizations_named(organization)
        if len(found) != 1:
            several = "".join(f"\n  {one.id}  {one.name}" for one in found)
            raise CommandError(f"{len(found)} organizations are called “{organization}”. Give the number.{several}")
        with organization_scope(found[0].id):
            try:
                set_link_domain(host, actor=Actor("operator"), now=now())
            except DomainError as error:
                raise CommandError(str(error)) from error
        self.stdout.write(f"The short links of {found[0].name} begin with {host or 'the host of this installation'}.")
