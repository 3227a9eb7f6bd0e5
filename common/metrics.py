"""Figures of every process together, for Prometheus: counted in memory, added up in Valkey, read by one address.

A process adds what it counted every few seconds, so any number of machines needs no port and no folder of its own.
Losing Valkey's memory begins the counters at zero again, which Prometheus expects of a counter.
"""

import atexit
import json
import os
import threading
from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from django.conf import settings
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from redis import Redis
from redis.exceptions import RedisError

KEY = "metrics"
EVERY_SECONDS = 5.0
PATIENCE = 2.0

_Sample = tuple[str, tuple[str, ...]]


def _valkey() -> Redis:
    return Redis.from_url(settings.REDIS_URL, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)


class _Pending:
    """What this process counted since it last added it to the shared figures."""

    def __init__(self) -> None:
        self._begin()
        os.register_at_fork(after_in_child=self._begin)  # neither the parent's counts nor a lock that it held

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._sums: dict[_Sample, float] = {}
        self._thread: threading.Thread | None = None

    def add(self, samples: Iterable[tuple[_Sample, float]]) -> None:
        with self._lock:
            for sample, amount in samples:
                self._sums[sample] = self._sums.get(sample, 0.0) + amount
            if self._thread is None:
                self._thread = threading.Thread(target=self._go_on, daemon=True, name="metrics")
                self._thread.start()

    def flush(self) -> None:
        """Add it to what the other processes counted; what could not be added waits for the next time."""
        with self._lock:
            sums, self._sums = self._sums, {}
        if not sums:
            return
        try:
            with _valkey() as valkey, valkey.pipeline(transaction=True) as pipeline:
                for (name, labels), amount in sums.items():
                    pipeline.hincrbyfloat(KEY, json.dumps([name, *labels]), amount)
                pipeline.execute()
        except RedisError:
            self.add(sums.items())

    def _go_on(self) -> None:
        wake = threading.Event()
        while True:
            wake.wait(EVERY_SECONDS)
            with suppress(Exception):  # figures are never a reason to fail
                self.flush()


_pending = _Pending()

flush = _pending.flush
"""Add what this process counted to the shared figures now."""
atexit.register(flush)


class Counter:
    """Something that is counted; `name` without the ending `_total`."""

    def __init__(self, name: str, meaning: str, labels: Sequence[str] = ()) -> None:
        self._name, self._meaning, self._labels = name, meaning, labels

    def add(self, *labels: str, by: float = 1.0) -> None:
        _pending.add([((self._name, labels), by)])

    def family(self, sums: Mapping[_Sample, float]) -> Metric:
        family = CounterMetricFamily(self._name, self._meaning, labels=self._labels)
        for (name, labels), amount in sums.items():
            if name == self._name:
                family.add_metric(labels, amount)
        return family


class Histogram:
    """Durations by upper bounds, all in seconds."""

    def __init__(self, name: str, meaning: str, bounds: Sequence[float], labels: Sequence[str] = ()) -> None:
        self._name, self._meaning, self._labels = name, meaning, labels
        self._bounds = [str(bound) for bound in bounds] + ["+Inf"]
        self._uppers = list(bounds)

    def observe(self, *seconds: float, labels: tuple[str, ...] = ()) -> None:
        """Any number of durations at once: a hot path counts what has come together."""
        bounds = Tally(self._bounds[bisect_left(self._uppers, one)] for one in seconds)
        samples = [((self._name, (*labels, bound)), float(times)) for bound, times in bounds.items()]
        _pending.add([*samples, ((self._name, (*labels, "sum")), sum(seconds))])

    def family(self, sums: Mapping[_Sample, float]) -> Metric:
        family = HistogramMetricFamily(self._name, self._meaning, labels=self._labels)
        for own in sorted({labels[:-1] for name, labels in sums if name == self._name}):
            below, buckets = 0.0, []
            for bound in self._bounds:
                below += sums.get((self._name, (*own, bound)), 0.0)
                buckets.append((bound, below))
            family.add_metric(own, buckets, sums.get((self._name, (*own, "sum")), 0.0))
        return family


class _Shared(Collector):
    def __init__(self, families: Iterable["Counter | Histogram"], gauges: Iterable[Metric]) -> None:
        self._families, self._gauges = families, gauges

    def collect(self) -> Iterable[Metric]:
        found: dict[bytes, bytes] = {}
        with suppress(RedisError), _valkey() as valkey:  # without it the gauges tell, which is when they are wanted
            found = valkey.hgetall(KEY)
        sums = {(name, tuple(labels)): float(amount) for (name, *labels), amount in map(_read, found.items())}
        yield from (family.family(sums) for family in self._families)
        yield from self._gauges


def _read(item: tuple[bytes, bytes]) -> tuple[list[str], bytes]:
    return json.loads(item[0]), item[1]


def exposition(families: Iterable[Counter | Histogram], gauges: Iterable[Metric]) -> bytes:
    """What all processes counted of these families, and the gauges, in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Shared(families, gauges))
    return generate_latest(registry)
