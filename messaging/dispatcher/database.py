"""SQL on threads of their own: the event loop never waits for the database."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, connection

from common.tenancy import across_organizations

ResultT = TypeVar("ResultT")


def was_cut(error: DatabaseError) -> bool:
    """Whether the connection was lost, and not merely a statement refused."""
    code = getattr(error.__cause__, "pgcode", None)
    return isinstance(error, (OperationalError, InterfaceError)) and (code is None or code.startswith("57P"))


class DatabaseThread:
    """One thread with its own connection. Every call is one transaction across organizations."""

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def run(self, action: Callable[[], ResultT]) -> ResultT:
        """Run `action` in its transaction; after a failure the next call finds a fresh connection."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._run, action)

    async def close(self) -> None:
        # Named in the thread itself: `connection` is another one in each.
        await asyncio.get_running_loop().run_in_executor(self._executor, lambda: connection.close())
        self._executor.shutdown()

    @staticmethod
    def _run(action: Callable[[], ResultT]) -> ResultT:
        try:
            with across_organizations(because="a dispatcher serves the numbers of every organization"):
                return action()
        except Exception:
            connection.close()
            raise
