"""A pytest plugin: the real PostgreSQL and Valkey of the tests, in a folder of their own.

Loaded with `-p` before Django's settings are read. The servers start in the controlling process; each xdist worker
inherits their addresses and takes a database and a Valkey database of its own.
"""

import atexit
import contextlib
import os
from pathlib import Path

from config import embedded

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / os.environ.get("CARILLON_TEST_DATA_DIR", ".data/test")

_open = contextlib.ExitStack()
atexit.register(_open.close)

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw0")

if "CARILLON_TEST_SERVERS" not in os.environ:
    _open.enter_context(embedded.running(DATA))
    os.environ["CARILLON_TEST_SERVERS"] = os.environ["REDIS_URL"]

os.environ["REDIS_URL"] = (
    os.environ["CARILLON_TEST_SERVERS"].rpartition("/")[0] + f"/{int(WORKER.removeprefix('gw')) + 1}"
)
os.environ["CARILLON_DATA_DIR"] = str(DATA / WORKER)
