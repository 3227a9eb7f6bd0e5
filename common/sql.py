"""Words of PostgreSQL that the ORM lacks."""

from collections.abc import Iterable
from typing import Any

from django.db import connection, models


class CurrentTransaction(models.Func):
    """The id of the transaction that writes the row: what readers in commit order go by (see `oldest_open`)."""

    template = "(pg_current_xact_id()::text::bigint)"
    output_field = models.BigIntegerField()


def oldest_open_transaction() -> int:
    """Rows of transactions before this one are all visible: whoever reads up to here passes no late commit by."""
    found: int = fetch_all("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")[0][0]
    return found


def fetch_all(sql: str, parameters: Any = None) -> list[tuple[Any, ...]]:
    """Run a statement in the transaction of the scope and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def hold(name: str, *, shared: bool = False) -> None:
    """Take a lock of a name until the transaction ends, alone or `shared`.

    Those who wait are served in turn: one who wants it alone is not passed by ever new sharers, as with rows.
    """
    words = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
    fetch_all(f"SELECT {words}(hashtextextended(%s, 0))", [name])


def array_literal(values: Iterable[object]) -> str:
    """An array of numbers or of words without quotes, braces and commas (phones, states) as PostgreSQL reads it."""
    return "{" + ",".join(map(str, values)) + "}"


def run(sql: str, parameters: Any = None) -> int:
    """Run a statement in the transaction of the scope and return how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        count: int = cursor.rowcount
        return count
