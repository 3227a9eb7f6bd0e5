"""What is broken on purpose: processes that die, stand still, or are told twice; a carrier, broker, database away."""

import contextlib
import json
import time
from collections.abc import Callable

import psycopg2
import pytest
from celery import current_app
from django.conf import settings
from django.db import connection
from redis import Redis

from audiences.models import Exclusion
from campaigns.actions import cancel_campaign
from campaigns.models import Campaign
from common.clock import now
from common.tenancy import organization_scope
from config.stack import Stack
from consent.queries import is_opted_out
from messaging.queries import outages
from messaging.rules.pacing import LOOK_AHEAD
from messaging.rules.states import State
from senders.models import NumberStatus, SenderNumber
from tests.faults.conftest import Sender, freeze, kill, thaw
from tests.servers import DATA

pytestmark = pytest.mark.fault


def test_a_worker_killed_in_the_middle_texts_nobody_twice(stack: Stack, sender: Sender) -> None:
    sender.launch()
    sender.handed_over(120)
    kill(stack.processes["worker"])
    stack.supervisor.running.remove(stack.processes["worker"])
    stack.processes["worker"] = stack.supervisor.start("worker")
    progress = sender.finish()
    sender.prove()
    # What was claimed at the moment of death, a look-ahead of slots, may end as unconfirmed; nothing else may.
    assert progress.handed_over + progress.messages(State.UNCONFIRMED) == 500
    assert progress.messages(State.UNCONFIRMED) <= 100 * LOOK_AHEAD + 5


def test_a_worker_frozen_for_twenty_seconds_sends_nothing_when_it_wakes(stack: Stack, sender: Sender) -> None:
    second = stack.supervisor.start("worker")
    try:
        sender.launch()
        sender.handed_over(100)
        frozen = stack.processes["worker"]
        freeze(frozen)
        time.sleep(20)
        thaw(frozen)
        sender.finish()
        time.sleep(2)  # whatever the woken one still wanted to do, it has done
        sender.prove()
    finally:
        stack.supervisor.end(second)


def test_the_same_task_delivered_twice_changes_nothing(stack: Stack, sender: Sender) -> None:
    outreach = sender.launch()
    for _ in range(3):
        current_app.send_task("messaging.dispatch", queue="dispatch")
        current_app.send_task("messaging.consume_receipts", queue="receipts")
        current_app.send_task("campaigns.write_messages", [outreach.organization_id, outreach.id])
        current_app.send_task("campaigns.advance")
        time.sleep(0.5)
    progress = sender.finish()
    sender.prove()
    assert progress.handed_over == 500


def test_a_stop_is_obeyed_within_a_second_and_by_the_next_campaign(stack: Stack) -> None:
    sender = Sender(stack, people=5)
    sender.launch()
    sender.finish()
    phone = sender.phones[0]
    stack.simulator.answer(phone=phone, sender=sender.number.sender, body="Stop")
    typed = time.monotonic()
    stopped = False
    while not stopped and time.monotonic() - typed < 5:
        with organization_scope(sender.tenant.organization.id):
            stopped = is_opted_out(phone)
        time.sleep(0.02)
    assert time.monotonic() - typed < 1.0
    following = sender.launch(body="Another text for {{ first_name }}.")
    sender.finish()
    sender.prove()
    with organization_scope(sender.tenant.organization.id):
        assert list(Exclusion.objects.filter(outreach_id=following.id).values_list("phone", "reason")) == [
            (phone, "opted_out")
        ]


MOODS = [
    ("too_many", 0.3, 500),
    ("error", 0.1, 440),  # the carrier did not take it and could not say so: unconfirmed in the end
    ("nothing", 0.1, 440),
    ("half", 0.1, 500),  # taken, and half an answer: found by asking
    ("silence", 0.02, 500),  # taken, and no answer at all
]


@pytest.mark.parametrize(
    ("answer", "share", "at_least"),
    [
        pytest.param(*mood, marks=[pytest.mark.slow] if mood[0] in ("error", "nothing", "half") else [])
        for mood in MOODS
    ],
)
def test_a_carrier_in_a_bad_mood_is_asked_never_told_twice(
    stack: Stack, sender: Sender, answer: str, share: float, at_least: int
) -> None:
    stack.simulator.set_mood(answer=answer, share=share)
    try:
        sender.launch()
        sender.finish(seconds=90)
    finally:
        stack.simulator.set_mood(answer="normal")
    sender.prove()
    assert sender.progress().handed_over >= at_least


@pytest.mark.slow
def test_a_carrier_that_is_away_is_probed_shown_and_gone_on_with(stack: Stack, sender: Sender) -> None:
    sender.launch()
    sender.handed_over(50)
    stack.simulator.set_mood(answer="nothing", share=1.0)
    try:
        wait(lambda: outage_seen(sender), seconds=10)
        time.sleep(4)
    finally:
        stack.simulator.set_mood(answer="normal")
    wait(lambda: not outage_seen(sender), seconds=15)
    progress = sender.finish(seconds=90)
    sender.prove()
    # What was on the way when it began, then one text each time it was tried.
    assert progress.messages(State.UNCONFIRMED) <= 100 * LOOK_AHEAD * 2 + 15
    assert progress.handed_over + progress.messages(State.UNCONFIRMED) == 500


def test_another_rate_and_a_suspension_are_obeyed_within_a_second(stack: Stack, sender: Sender) -> None:
    sender.launch()
    sender.handed_over(50)

    def change(**fields: object) -> None:
        with organization_scope(sender.tenant.organization.id):
            SenderNumber.objects.filter(id=sender.number.id).update(**fields)

    def carried(seconds: float) -> int:
        """Texts that reach the carrier in so many seconds, a second from now."""
        time.sleep(1)
        before = len(stack.simulator.arrivals(sender.number.sender))
        time.sleep(seconds)
        return len(stack.simulator.arrivals(sender.number.sender)) - before

    try:
        change(segments_per_second=5)
        assert 5 <= carried(2) <= 11
        change(status=NumberStatus.SUSPENDED)
        assert carried(1.5) == 0
    finally:
        change(status=NumberStatus.REGISTERED, segments_per_second=100)
    assert sender.finish().handed_over == 500
    sender.prove()


def test_so_many_an_hour_are_sent_evenly(stack: Stack, sender: Sender) -> None:
    outreach = sender.world.campaign(body="Hello {{ first_name }}, we open at eight.")
    with organization_scope(sender.tenant.organization.id):
        Campaign.objects.filter(id=outreach.campaign_id).update(hourly_limit=5 * 3600)
    sender.outreach = sender.world.launch(outreach)
    sender.handed_over(5)
    before, begin = sender.progress().handed_over, time.monotonic()
    time.sleep(4)
    sent, took = sender.progress().handed_over - before, time.monotonic() - begin
    assert 3.5 * took <= sent <= 5 * took + 2
    with organization_scope(sender.tenant.organization.id):
        cancel_campaign(outreach.campaign_id, actor=sender.tenant.owner, now=now())
    sender.finish()
    sender.prove()


@pytest.mark.slow
def test_the_broker_emptied_in_the_middle_loses_nothing(stack: Stack, sender: Sender) -> None:
    """Tasks, slots and locks are gone; PostgreSQL is the queue of truth."""
    sender.launch()
    for at in (50, 200):
        sender.handed_over(at)
        Redis.from_url(settings.REDIS_URL).flushdb()
    assert sender.finish(seconds=90).handed_over == 500
    sender.prove()


def test_the_database_restarted_in_the_middle_loses_nothing(stack: Stack, sender: Sender) -> None:
    """Every connection is cut, twice, with whatever was open in it."""
    sender.launch()
    for at in (50, 200):
        sender.handed_over(at)
        cut_connections()
    progress = sender.finish(seconds=90)
    sender.prove()
    # An outcome is written again over a new connection; only a claim that was cut itself may be in doubt.
    assert progress.handed_over + progress.messages(State.UNCONFIRMED) == 500


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["consumers", "jobs", "carrier-endpoint", "beat"])
def test_any_other_process_killed_and_restarted_loses_nothing(stack: Stack, sender: Sender, kind: str) -> None:
    sender.launch()
    sender.handed_over(100)
    killed = stack.processes[kind]
    kill(killed)
    stack.supervisor.running.remove(killed)
    time.sleep(1)
    stack.processes[kind] = stack.supervisor.start(kind, port=killed.port)
    assert sender.finish(seconds=90).handed_over == 500
    sender.prove()


def outage_seen(sender: Sender) -> bool:
    with organization_scope(sender.tenant.organization.id):
        return any(one.carrier_account_id == sender.number.carrier_account_id for one in outages(now=now()))


def wait(check: Callable[[], bool], *, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.05)


def cut_connections() -> None:
    """What a restart of the server does to its clients; the server serves other tests as well."""
    password = json.loads((DATA / "postgres" / "passwords.json").read_text())["postgres"]
    where = connection.settings_dict
    superuser = psycopg2.connect(
        host=where["HOST"], port=where["PORT"], user="postgres", password=password, dbname="postgres"
    )
    superuser.autocommit = True
    with contextlib.closing(superuser), superuser.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> ALL(%s)",
            [where["NAME"], [connection.connection.info.backend_pid] if connection.connection else []],
        )
