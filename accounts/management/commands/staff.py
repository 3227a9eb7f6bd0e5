"""Make a person who has signed up staff of the platform, or (--role NONE) end it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError

from accounts.actions import set_staff_role
from accounts.models import User
from accounts.rules.permissions import StaffRole


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--role", choices=[*StaffRole, "NONE"], required=True)

    def handle(self, *args: Any, email: str, role: str, **options: Any) -> None:
        try:
            set_staff_role(email=email, role=None if role == "NONE" else StaffRole(role))
        except User.DoesNotExist as error:
            raise CommandError(f"Nobody has signed up as {email}. Sign up on the page first.") from error
