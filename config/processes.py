"""Every process that a running Carillon is made of: `make run`, the demo, the fault tests and the benches start these,
and docker-compose.yml starts the same commands (a test compares them).
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO
from urllib.error import URLError

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class ProcessKind:
    """`arguments` follow the interpreter; `{port}` is filled in. `health` is a path that answers once it serves."""

    arguments: tuple[str, ...]
    health: str = ""


_CELERY = ("-m", "celery", "-A", "config", "--quiet")

PROCESSES: dict[str, ProcessKind] = {
    "web": ProcessKind(
        ("-m", "gunicorn", "config.wsgi", "--bind", "127.0.0.1:{port}", "--threads", "8", "--log-level", "warning"),
        health="/health",
    ),
    "carrier-endpoint": ProcessKind(
        (
            *("-m", "uvicorn", "config.asgi:application", "--host", "127.0.0.1", "--port", "{port}"),
            *("--log-level", "warning", "--no-access-log"),
        ),
        health="/health",
    ),
    "worker": ProcessKind(
        (
            *(*_CELERY, "worker", "--queues", "dispatch", "--loglevel", "WARNING"),
            *("--without-gossip", "--without-mingle", "--hostname", "worker-{name}@%h"),
        )
    ),
    "consumers": ProcessKind(
        (
            *(*_CELERY, "worker", "--queues", "inbound,receipts,default", "--concurrency", "4"),
            *("--loglevel", "WARNING", "--without-gossip", "--without-mingle", "--hostname", "consumers-{name}@%h"),
        )
    ),
    "jobs": ProcessKind(
        (
            *(*_CELERY, "worker", "--queues", "jobs", "--concurrency", "4"),
            *("--loglevel", "WARNING", "--without-gossip", "--without-mingle", "--hostname", "jobs-{name}@%h"),
        )
    ),
    "beat": ProcessKind((*_CELERY, "beat", "--loglevel", "WARNING", "--pidfile=")),
    "carriersim": ProcessKind(("-m", "carriersim", "--port", "{port}"), health="/simulator/health"),
}


class ProcessEnded(RuntimeError):
    """A process ended by itself; the text has the end of its log."""


class Running:
    """One started process. Its output goes to `log`."""

    def __init__(self, name: str, process: "subprocess.Popen[bytes]", log: Path, port: int | None) -> None:
        self.name, self.process, self.log, self.port = name, process, log, port

    @property
    def pid(self) -> int:
        return self.process.pid

    def check(self) -> None:
        if self.process.poll() is not None:
            raise ProcessEnded(f"{self.name} ended with {self.process.returncode}: {self.tail()}")

    def tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])


class Supervisor:
    """Starts processes and ends them in the reverse order; a context manager."""

    def __init__(self, log_folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self._folder = log_folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self.environment = dict(os.environ) | dict(environment or {})
        self._logs: list[TextIO] = []
        self.running: list[Running] = []

    def __enter__(self) -> "Supervisor":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, kind: str, *, port: int | None = None, environment: Mapping[str, str] | None = None) -> Running:
        """Start a process of a kind of PROCESSES in its own session, so that a Ctrl-C reaches us alone."""
        name = f"{kind}-{len(self.running)}"
        log = self._folder / f"{name}.log"
        output = log.open("w")
        self._logs.append(output)
        arguments = [argument.format(port=port, name=len(self.running)) for argument in PROCESSES[kind].arguments]
        process = subprocess.Popen(  # noqa: S603 - our own list above
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment | dict(environment or {}),
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        started = Running(name, process, log, port)
        self.running.append(started)
        return started

    def wait_until_healthy(self, seconds: float = 30.0) -> None:
        """Wait until every process with a health address answers. Raises ProcessEnded."""
        end = time.monotonic() + seconds
        for started in self.running:
            path = PROCESSES[started.name.rpartition("-")[0]].health
            while path and not _answers(f"http://127.0.0.1:{started.port}{path}"):
                started.check()
                if time.monotonic() > end:
                    raise ProcessEnded(f"{started.name} did not answer within {seconds:.0f} s: {started.tail()}")
                time.sleep(0.05)

    def check(self) -> None:
        """Raises ProcessEnded where one has ended by itself."""
        for started in self.running:
            started.check()

    def end(self, started: Running, seconds: float = 15.0) -> None:
        """Ask one process to end, and make it after a while."""
        self.running.remove(started)
        _end([started.process], seconds)

    def stop(self, seconds: float = 15.0) -> None:
        _end([started.process for started in reversed(self.running)], seconds)
        self.running.clear()
        for output in self._logs:
            output.close()


def free_ports(count: int) -> Sequence[int]:
    """Ports of the loopback that nothing listens on at this moment."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def _answers(url: str) -> bool:
    with suppress(URLError, OSError), urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - loopback
        return bool(response.status == 200)
    return False


def _end(processes: Sequence["subprocess.Popen[bytes]"], seconds: float) -> None:
    for process in processes:
        if process.poll() is None:
            process.terminate()
    end = time.monotonic() + seconds
    for process in processes:
        try:
            process.wait(max(end - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            # Its children too: a worker's would otherwise live on and wait for a database that is gone.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
