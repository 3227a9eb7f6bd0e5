"""Fixtures of every test: a database built by the owner and used as the application's role."""

import hashlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.conf import LazySettings, settings
from django.core.management import call_command
from django.db import connections

from tests.servers import ROOT, WORKER
from tests.world import World, build_world

# A tenant with its owner is made for nearly every test.
settings.PASSWORD_HASHERS = ["tests.hashers.QuickHasher"]

# A Tuesday, in the middle of the lawful day everywhere in the United States.
NOW = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)


GROUPS = ("e2e", "faults")
"""Tests that start real processes: each folder stays with one xdist worker, which starts them once, and goes first."""


@pytest.hookimpl(tryfirst=True)  # before xdist looks for the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        folder = item.path.parent.name
        if folder in GROUPS:
            item.add_marker(pytest.mark.xdist_group(folder))
    items.sort(key=lambda item: item.path.parent.name not in GROUPS)


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> Iterator[None]:
    """A fresh copy of a template database, which is migrated once for each state of the migrations."""
    template, name = f"template_{_migrations_digest()}", f"test_{WORKER}"
    with django_db_blocker.unblock():
        _make_template(template)
        _administer(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"CREATE DATABASE {name} TEMPLATE {template}")
        _use(name)
        yield
        connections.close_all()


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def clock(settings: LazySettings) -> None:
    """The product's clock shows NOW when the test begins: else its pages would live on another day than the test."""
    settings.CLOCK_OFFSET = str((NOW - datetime.now(UTC)).total_seconds())


@pytest.fixture
def world(db: None, clock: None) -> World:
    """A tenant that can send: a program, a registered number, credits. Rolled back after the test."""
    return build_world(NOW)


@pytest.fixture
def committed_world(django_db_setup: None, django_db_blocker: Any, clock: None) -> Iterator[World]:
    """The same, committed: for what must be seen by other transactions. Tenants part the tests; nothing is cleaned."""
    with django_db_blocker.unblock():
        yield build_world(NOW)


def _make_template(template: str) -> None:
    import fcntl

    (ROOT / ".data").mkdir(exist_ok=True)
    with (ROOT / ".data" / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _administer(f"SELECT 1 FROM pg_database WHERE datname = '{template}'"):
            return
        for (old,) in _administer("SELECT datname FROM pg_database WHERE datname LIKE 'template\\_%'"):
            _administer(f"DROP DATABASE {old} WITH (FORCE)")
        building = f"{template}_new"
        _administer(f"DROP DATABASE IF EXISTS {building} WITH (FORCE)", f"CREATE DATABASE {building}")
        _use(building)
        call_command("prepare_database", verbosity=0)
        connections.close_all()
        _administer(f"ALTER DATABASE {building} RENAME TO {template}")


def _use(name: str) -> None:
    """Point settings and the environment of processes that tests start at a database."""
    for alias, variable in (("default", "DATABASE_URL"), ("owner", "DATABASE_OWNER_URL")):
        settings.DATABASES[alias]["NAME"] = name
        connections[alias].settings_dict["NAME"] = name
        connections[alias].close()
        os.environ[variable] = os.environ[variable].rpartition("/")[0] + f"/{name}"


def _administer(*statements: str) -> list[tuple[Any, ...]]:
    base = os.environ["DATABASE_OWNER_URL"].rpartition("/")[0]
    connection = psycopg2.connect(f"{base}/carillon")
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def _migrations_digest() -> str:
    digest = hashlib.sha256()
    files = [*ROOT.glob("*/migrations/*.py"), ROOT / "common" / "tenancy.py", _prepare_command()]
    for path in sorted(files):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _prepare_command() -> Path:
    return ROOT / "common" / "management" / "commands" / "prepare_database.py"
