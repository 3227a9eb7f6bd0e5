"""The figures for Prometheus: who may read them, what is counted, what waits."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis

from common import metrics
from common.metrics import KEY, Counter, Histogram
from messaging.actions.settling import Settlement, settle
from messaging.models import Message
from messaging.rules.states import State
from tests.world import World

Figures = dict[tuple[str, tuple[str, ...]], float]
TOKEN = {"Authorization": "Bearer a long token"}


@pytest.fixture(autouse=True)
def token(settings: Any) -> None:
    settings.METRICS_TOKEN = "a long token"
    Redis.from_url(settings.REDIS_URL).delete(KEY)
    metrics.flush()
    Redis.from_url(settings.REDIS_URL).delete(KEY)


def figures(client: Client) -> Figures:
    metrics.flush()
    answer = client.get("/metrics", headers=TOKEN)
    assert answer.status_code == 200
    return read(answer.content)


def counted(*families: Counter | Histogram) -> Figures:
    metrics.flush()
    return read(metrics.exposition(families, []))


def read(content: bytes) -> Figures:
    families = text_string_to_metric_families(content.decode())
    return {
        (one.name, tuple(one.labels[name] for name in sorted(one.labels))): one.value
        for family in families
        for one in family.samples
    }


def test_only_who_knows_the_token_reads_them(client: Client, db: None, settings: Any) -> None:
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer another"}).status_code == 401
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def test_what_processes_counted_adds_up_and_begins_anew_where_it_was_lost() -> None:
    counter = Counter("carillon_test_bells", "Bells", ("tower",))
    times = Histogram("carillon_test_seconds", "Strokes", (0.1, 1.0), ("tower",))
    counter.add("north", by=2)
    metrics.flush()
    counter.add("north")
    times.observe(0.1, 0.5, 0.5, labels=("north",))
    times.observe(30.0, labels=("north",))
    found = counted(counter, times)
    assert found["carillon_test_bells_total", ("north",)] == 3
    buckets = {bound: found["carillon_test_seconds_bucket", (bound, "north")] for bound in ("0.1", "1.0", "+Inf")}
    assert buckets == {"0.1": 1, "1.0": 3, "+Inf": 4}
    assert found["carillon_test_seconds_count", ("north",)] == 4
    assert found["carillon_test_seconds_sum", ("north",)] == pytest.approx(31.1)
    Redis.from_url(settings.REDIS_URL).delete(KEY)
    counter.add("north")
    assert counted(counter)["carillon_test_bells_total", ("north",)] == 1


def test_what_could_not_be_added_waits_for_the_next_time(settings: Any) -> None:
    counter = Counter("carillon_test_waits", "Waits")
    right, settings.REDIS_URL = settings.REDIS_URL, "redis://127.0.0.1:1/0"
    counter.add()
    metrics.flush()
    settings.REDIS_URL = right
    assert counted(counter)["carillon_test_waits_total", ()] == 1


def test_the_age_of_the_queue_counts_what_is_due(client: Client, world: World, settings: Any, now: datetime) -> None:
    for last in range(3):
        world.add_contact(f"+1205200000{last}")
    world.launch(world.campaign())
    settings.CLOCK_OFFSET = str((now + timedelta(seconds=90) - datetime.now(now.tzinfo)).total_seconds())
    number = (str(world.number.id),)
    found = figures(client)
    in_doubt = found["carillon_messages_in_doubt", ()]
    assert found["carillon_queue_age_seconds", number] == pytest.approx(90, abs=2)
    assert found["carillon_lanes_free", ()] >= 1, "no dispatcher runs here"
    with world.scope():
        messages = Message.objects.order_by("id")
        messages.update(state=State.CLAIMED)
        settle([Settlement(one.id, State.UNKNOWN) for one in messages], now=now)
    found = figures(client)
    assert ("carillon_queue_age_seconds", number) not in found
    assert found["carillon_messages_in_doubt", ()] - in_doubt == 3
    assert found["carillon_messages_total", ("UNKNOWN",)] == 3


def test_no_figure_names_a_phone(client: Client, world: World) -> None:
    world.add_contact("+12052000000")
    world.launch(world.campaign())
    assert b"+1" not in client.get("/metrics", headers=TOKEN).content
