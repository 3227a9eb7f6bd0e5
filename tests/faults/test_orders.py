"""What a person orders is obeyed at once: STOP, pause, cancel, another speed, a suspension, two orders at a time."""

import threading
import time
from collections.abc import Callable

import pytest
from django.db import connections, transaction

from audiences.models import Exclusion
from billing.actions import NotEnoughCredits
from campaigns.actions import cancel_campaign, launch_outreach, pause_campaign, resume_campaign
from campaigns.models import Campaign, Outreach
from common.clock import now
from common.tenancy import organization_scope
from config.stack import Stack
from consent.models import ConsentState
from consent.queries import is_opted_out
from contacts.actions import cancel_import
from content.models import Job
from messaging.rules.states import State
from senders.models import NumberStatus, SenderKind, SenderNumber
from tests.faults.conftest import Chance, Sender, begin_import, import_of, wait

pytestmark = pytest.mark.fault


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


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "rows"), [("normal", 0), ("silence", 0), ("normal", 1_000_000)])
def test_two_hundred_people_who_stop_in_the_middle_get_nothing_a_second_later(
    stack: Stack, chance: Chance, answer: str, rows: int, record_property: Callable[[str, object], None]
) -> None:
    """On a number whose carrier keeps no list of its own, so that only Carillon stands between; also while it takes
    every text and answers none, and while a file of a million people is imported.
    """
    sender = Sender(stack, kind=SenderKind.LOCAL)
    quoted = sender.world.campaign(body="Hello {{ first_name }}, we open at eight.")
    importing = None
    if rows:
        people = "".join(f"Person {number},{3342000000 + number}\n" for number in range(rows))
        importing = begin_import(sender.tenant, f"First Name,Phone\n{people}".encode())
        wait(lambda: import_of(sender.tenant, importing).rows >= 10_000, seconds=60)
    chosen = chance.random.sample(sender.phones, 200)
    moments = sorted(chance.random.uniform(0, 4.5) for _ in chosen)
    stopped: dict[str, float] = {}
    stack.simulator.set_mood(answer=answer)
    try:
        sender.confirm(quoted)
        wait(lambda: bool(stack.simulator.arrivals(sender.number.sender)))
        begin = time.monotonic()
        for phone, moment in zip(chosen, moments, strict=True):
            time.sleep(max(begin + moment - time.monotonic(), 0))
            stopped[phone] = time.time()
            stack.simulator.answer(phone=phone, sender=sender.number.sender, body="STOP")
    finally:
        stack.simulator.set_mood(answer="normal")
    if importing is not None:
        during = import_of(sender.tenant, importing)
        assert during.job.state == Job.State.RUNNING, "it was to go on meanwhile"
        record_property("rows imported by then", during.rows)
        with sender.world.scope(), transaction.atomic():
            cancel_import(importing.id, actor=sender.tenant.owner, now=now())
    sender.finish(seconds=90)
    texts = [text for text in stack.simulator.texts(sender.number.sender) if text["body"].startswith("Hello Ada")]
    late = [text["taken_at"] - stopped[text["to"]] for text in texts if text["to"] in stopped]
    record_property("seconds to the last text after a STOP", round(max(late, default=0.0), 3))
    assert max(late, default=0.0) <= 1.0
    assert sender.progress().messages(State.SKIPPED) >= 10, "some of them stopped before their turn"
    assert len({text["to"] for text in texts}) == len(texts), "nobody twice"
    progress = sender.progress()
    with organization_scope(sender.tenant.organization.id):
        assert ConsentState.objects.filter(phone__in=chosen, stopped=True).count() == 200
    assert progress.handed_over + progress.messages(State.SKIPPED, State.UNCONFIRMED) == 500
    assert {text["to"] for text in texts} >= set(sender.phones) - stopped.keys()


def _pause(sender: Sender) -> None:
    pause_campaign(_campaign_id(sender), actor=sender.tenant.owner, now=now())


def _cancel(sender: Sender) -> None:
    cancel_campaign(_campaign_id(sender), actor=sender.tenant.owner, now=now())


def _suspend(sender: Sender) -> None:
    SenderNumber.objects.filter(id=sender.number.id).update(status=NumberStatus.SUSPENDED)


ORDERS = {"pause": _pause, "cancel": _cancel, "suspend": _suspend}


@pytest.mark.parametrize(
    ("order", "answer"),
    [
        pytest.param(order, answer, marks=[] if (order, answer) == ("cancel", "silence") else [pytest.mark.slow])
        for order in ORDERS
        for answer in ("normal", "silence")
    ],
)
def test_an_order_is_obeyed_within_a_second_even_while_the_carrier_does_not_answer(
    stack: Stack,
    sender: Sender,
    chance: Chance,
    order: str,
    answer: str,
    record_property: Callable[[str, object], None],
) -> None:
    def taken() -> list[float]:
        return [text["taken_at"] for text in stack.simulator.texts(sender.number.sender)]

    stack.simulator.set_mood(answer=answer)
    try:
        sender.launch()
        wait(lambda: len(taken()) >= 20)
        time.sleep(chance.between(0, 0.6))
        with sender.world.scope(), transaction.atomic():
            ORDERS[order](sender)
        given = time.time()
        time.sleep(4)  # longer than a hand-over waits for its answer
    finally:
        stack.simulator.set_mood(answer="normal")
    after = max(taken()) - given
    record_property(f"seconds to the last text after {order}", round(max(after, 0.0), 3))
    assert after <= 1.0
    if order == "suspend":
        with sender.world.scope():
            SenderNumber.objects.filter(id=sender.number.id).update(status=NumberStatus.REGISTERED)
    if order == "pause":
        with sender.world.scope(), transaction.atomic():
            resume_campaign(_campaign_id(sender), actor=sender.tenant.owner, now=now())
    progress = sender.finish(seconds=90)
    sender.prove()
    if order == "cancel":
        assert progress.handed_over + progress.messages(State.CANCELED, State.UNCONFIRMED) == 500
    else:
        assert progress.handed_over == 500


def test_another_rate_is_obeyed_within_a_second(stack: Stack) -> None:
    sender = Sender(stack, people=200)
    sender.launch()
    sender.handed_over(50)

    def change(rate: int) -> None:
        with sender.world.scope():
            SenderNumber.objects.filter(id=sender.number.id).update(segments_per_second=rate)

    change(5)
    time.sleep(1)
    before = len(stack.simulator.arrivals(sender.number.sender))
    time.sleep(2)
    assert 5 <= len(stack.simulator.arrivals(sender.number.sender)) - before <= 11
    change(100)
    assert sender.finish().handed_over == 200
    sender.prove()


def test_so_many_an_hour_are_sent_evenly(stack: Stack, sender: Sender) -> None:
    outreach = sender.world.campaign(body="Hello {{ first_name }}, we open at eight.")
    with sender.world.scope():
        Campaign.objects.filter(id=outreach.campaign_id).update(hourly_limit=5 * 3600)
    sender.confirm(outreach)
    sender.handed_over(5)
    before, begin = sender.progress().handed_over, time.monotonic()
    time.sleep(4)
    sent, took = sender.progress().handed_over - before, time.monotonic() - begin
    assert 3.5 * took <= sent <= 5 * took + 2
    with sender.world.scope(), transaction.atomic():
        _cancel(sender)
    sender.finish()
    sender.prove()


def test_two_launches_at_once_on_one_balance_send_one_of_them(stack: Stack) -> None:
    """Six hundred credits, two campaigns of five hundred texts, both confirmed in the same moment, each twice."""
    sender = Sender(stack, rate=500.0, credits=600)
    outreaches = [sender.world.campaign(body=f"Hello {{{{ first_name }}}}, shop {name}.") for name in ("A", "B")]
    together = threading.Barrier(4)
    launched: list[Outreach] = []
    refused: list[int] = []

    def confirm(outreach: Outreach) -> None:
        try:
            together.wait(timeout=10)
            with sender.world.scope(), transaction.atomic():
                assert outreach.quote_id is not None
                launch_outreach(outreach.id, quote_id=outreach.quote_id, actor=sender.tenant.owner, now=now())
            launched.append(outreach)
        except NotEnoughCredits:
            refused.append(outreach.id)
        finally:
            connections.close_all()

    clicks = [threading.Thread(target=confirm, args=[outreach]) for outreach in outreaches * 2]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()
    assert len({outreach.id for outreach in launched}) == 1
    assert len(launched) == len(refused) == 2
    sender.outreach = launched[0]
    progress = sender.finish()
    sender.prove()
    assert progress.credits_captured == progress.handed_over == 500


def _campaign_id(sender: Sender) -> int:
    assert sender.outreach is not None
    return sender.outreach.campaign_id
