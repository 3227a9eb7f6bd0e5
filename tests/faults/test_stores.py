"""The broker emptied and cut off, the database away: PostgreSQL is the queue of truth, and every claim is settled."""

import contextlib
import json
import time
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest
from django.conf import settings
from django.db import connection
from redis import Redis

from config.stack import Stack
from messaging.rules.states import State
from tests.faults.conftest import Chance, Sender
from tests.servers import DATA

pytestmark = pytest.mark.fault


@pytest.mark.slow
@pytest.mark.parametrize("cut", [False, True], ids=["emptied", "emptied and restarted"])
def test_the_broker_emptied_in_the_middle_loses_nothing(
    stack: Stack, sender: Sender, chance: Chance, cut: bool
) -> None:
    """Tasks, slots and locks are gone, and with a restart every connection too."""
    valkey = Redis.from_url(settings.REDIS_URL)
    sender.launch()
    for low, high in ((20, 100), (150, 300)):
        sender.handed_over(int(chance.between(low, high)))
        valkey.flushdb()
        if cut:
            own = valkey.client_id()
            for client in valkey.client_list():
                if client["db"] == str(valkey.connection_pool.connection_kwargs["db"]) and int(client["id"]) != own:
                    valkey.client_kill_filter(_id=client["id"])
    assert sender.finish(seconds=90).handed_over == 500
    sender.prove()


@pytest.mark.parametrize(
    "away", [pytest.param((1, 4), marks=pytest.mark.slow, id="away"), pytest.param((0, 0), id="cut")]
)
def test_the_database_restarted_in_the_middle_loses_nothing(
    stack: Stack, sender: Sender, chance: Chance, away: tuple[float, float]
) -> None:
    """Every connection is cut, twice, with whatever was open in it; in one of the two nobody gets in for seconds."""
    sender.launch()
    for low, high in ((20, 100), (150, 300)):
        sender.handed_over(int(chance.between(low, high)))
        with _database_closed():
            time.sleep(chance.between(*away))
    progress = sender.finish(seconds=90)
    sender.prove()
    # An outcome is written again over a new connection; only a claim that was cut itself may be in doubt.
    assert progress.handed_over + progress.messages(State.UNCONFIRMED) == 500


@contextlib.contextmanager
def _database_closed() -> Iterator[None]:
    """What a restart of the server does to its clients; the server serves other tests as well."""
    password = json.loads((DATA / "postgres" / "passwords.json").read_text())["postgres"]
    where = connection.settings_dict
    superuser: Any = psycopg2.connect(
        host=where["HOST"], port=where["PORT"], user="postgres", password=password, dbname="postgres"
    )
    superuser.autocommit = True
    own = [connection.connection.info.backend_pid] if connection.connection else []
    with contextlib.closing(superuser), superuser.cursor() as cursor:
        cursor.execute(f'ALTER DATABASE "{where["NAME"]}" ALLOW_CONNECTIONS false')
        try:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> ALL(%s)",
                [where["NAME"], own],
            )
            yield
        finally:
            cursor.execute(f'ALTER DATABASE "{where["NAME"]}" ALLOW_CONNECTIONS true')
