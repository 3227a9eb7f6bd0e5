"""A whole Carillon on free ports, with a carrier on the desk: for the demo, the fault tests and the benches."""

import json
import secrets
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from config.processes import Running, Supervisor, free_ports

AUTH_TOKEN = "simulated-token"  # noqa: S105 - of the simulator, which guards nothing


class Simulator:
    """The simulator's controls, and its own record of what it was handed."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        # An account of its own: two stacks over one database must not text through each other's carrier.
        self.account_sid = f"AC{secrets.token_hex(16)}"

    def add_number(
        self, sender: str, *, rate: float | None, inbound_url: str = "", toll_free: bool = False, verified: bool = True
    ) -> None:
        """Tell the carrier of a number that its customer rents: its segments a second, where replies are posted."""
        row = {
            "sender": sender,
            "account_sid": self.account_sid,
            "rate": rate,
            "toll_free": toll_free,
            "verified": verified,
            "inbound_url": inbound_url,
        }
        self._call("numbers", [row])

    def set_mood(self, **changes: object) -> None:
        self._call("mood", changes)

    def record(self, senders: Sequence[str]) -> dict[str, Any]:
        """The verdict: accepted, texted_twice, over_rate_seconds, worst_second, by_status."""
        found: dict[str, Any] = self._call(f"record?from={quote(','.join(senders))}")
        return found

    def texts(self, sender: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._call(f"texts?from={quote(sender)}")
        return found

    def arrivals(self, sender: str) -> list[tuple[float, int]]:
        return [(at, segments) for at, segments in self._call(f"arrivals?from={quote(sender)}")]

    def answer(self, *, phone: str, sender: str, body: str) -> None:
        """Type an answer on a handset."""
        self._call("answer", {"phone": phone, "sender": sender, "body": body})

    def _call(self, path: str, content: object = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{self.base_url}/simulator/{path}",
            data=None if content is None else json.dumps(content).encode(),
            method="GET" if content is None else "POST",
        )
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            return json.load(response)


class Stack:
    """Every process of PROCESSES, wired to each other; a context manager that ends them all."""

    def __init__(
        self,
        log_folder: Path,
        *,
        environment: Mapping[str, str] | None = None,
        without: Sequence[str] = (),
        web_port: int | None = None,
    ) -> None:
        web, endpoint, carrier = free_ports(3)
        web = web_port or web
        self.web_url = f"http://127.0.0.1:{web}"
        self.callback_url = f"http://127.0.0.1:{endpoint}"
        self.inbound_url = f"{self.callback_url}/carrier/twilio/inbound"
        self.simulator = Simulator(f"http://127.0.0.1:{carrier}")
        self.environment = {
            "CARRIER_CALLBACK_URL": self.callback_url,
            "SITE_URL": self.web_url,
            "BEAT_SCHEDULE_FILE": str(log_folder / "beat-schedule"),
            **dict(environment or {}),
        }
        self.supervisor = Supervisor(log_folder, self.environment)
        self._ports = {"web": web, "carrier-endpoint": endpoint, "carriersim": carrier}
        self._kinds = [
            kind for kind in self._ports | dict.fromkeys(("worker", "consumers", "jobs", "beat")) if kind not in without
        ]
        self.processes: dict[str, Running] = {}

    def __enter__(self) -> "Stack":
        try:
            for kind in self._kinds:
                self.processes[kind] = self.supervisor.start(kind, port=self._ports.get(kind))
            self.supervisor.wait_until_healthy()
        except BaseException:
            self.supervisor.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.supervisor.stop()
