"""Bring the database to this version: grants for the product's roles, then the migrations, as the owner."""

from typing import Any

from django.core.management import BaseCommand, call_command
from django.db import connections

ONE_AT_A_TIME = 2_026_1124
# Every table that the owner makes from here on is usable by the product's roles; row-level security says which rows.
GRANTS = """
GRANT USAGE ON SCHEMA public TO carillon_app, carillon_platform;
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO carillon_app, carillon_platform;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO carillon_app, carillon_platform;
"""


class Command(BaseCommand):
    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        with connections["owner"].cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [ONE_AT_A_TIME])  # until the connection is closed
            cursor.execute(GRANTS)
        call_command("migrate", database="owner", verbosity=options["verbosity"], interactive=False)
        connections["owner"].close()
