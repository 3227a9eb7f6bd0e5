"""Whom a dispatcher asks for next: what it decides before any database or carrier is asked."""

import asyncio
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from messaging.actions.claims import Claim
from messaging.actions.outcomes import Outcome
from messaging.dispatcher import engine
from messaging.dispatcher.engine import Dispatcher, _Number
from messaging.gateways.base import Answer, Handover
from messaging.queries import DueStream
from senders.models import CarrierAccount

ACCOUNT, OTHER = 1_001, 1_002
NUMBER_FULL, NOT_A_MOBILE = 21611, 21614


@pytest.fixture(autouse=True)
def explained() -> Iterator[None]:
    engine._explained.update({ACCOUNT, OTHER})
    yield
    engine._explained.clear()


def decide(work: Callable[[Dispatcher], None], *, numbers: int = 5, rate: float | None = None) -> None:
    async def inside() -> None:
        dispatcher = Dispatcher(lambda: True)
        dispatcher._locked = ""
        for number in range(numbers):
            account = OTHER if number == numbers - 1 else ACCOUNT
            stream = DueStream(number, number, account, "+1888", rate, 5)
            dispatcher._numbers[number] = _Number(number, account, "+1888", rate, [stream])
        work(dispatcher)

    asyncio.run(inside())


def asked(dispatcher: Dispatcher) -> set[int]:
    return {want.number_id for want in dispatcher._wants()}


def answered(dispatcher: Dispatcher, number: int, answer: Answer, code: int | None = None) -> None:
    claim = Claim(1, number, number, ACCOUNT, "+1", "Hello", 1, "CLAIMED", "", 1, [])
    handover = Handover(answer, error_code=code)
    dispatcher._carriers.hear(Outcome(claim, uuid4(), handover, CarrierAccount.Gateway.TWILIO))


def test_a_carrier_in_trouble_is_tried_by_one_number_after_the_other(explained: None) -> None:
    def work(dispatcher: Dispatcher) -> None:
        answered(dispatcher, 0, Answer.NO_CONNECTION)
        dispatcher._carriers._resume_at.clear()
        tried = []
        for _ in range(10):
            (probe,) = asked(dispatcher) - {4}
            tried.append(probe)
            assert asked(dispatcher) == {4}, "one at a time, and the other carrier's number as ever"
            dispatcher._carriers.probing.clear()
        assert set(tried) == {0, 1, 2, 3}

    decide(work)


@pytest.mark.parametrize(("answer", "code"), [(Answer.ACCEPTED, None), (Answer.REFUSED, NOT_A_MOBILE)])
def test_any_word_of_the_carrier_on_a_text_ends_the_trouble(answer: Answer, code: int | None) -> None:
    def work(dispatcher: Dispatcher) -> None:
        answered(dispatcher, 0, Answer.NO_CONNECTION)
        assert asked(dispatcher) == {4}
        answered(dispatcher, 0, answer, code)
        dispatcher._carriers._resume_at.clear()
        assert asked(dispatcher) == {0, 1, 2, 3, 4}

    decide(work)


def test_a_number_whose_queue_is_full_rests_alone() -> None:
    def work(dispatcher: Dispatcher) -> None:
        answered(dispatcher, 2, Answer.REFUSED, NUMBER_FULL)
        assert asked(dispatcher) == {0, 1, 3, 4}

    decide(work)


def test_one_doubt_is_no_outage_and_three_are() -> None:
    def work(dispatcher: Dispatcher) -> None:
        for _ in range(2):
            answered(dispatcher, 0, Answer.UNKNOWN)
            answered(dispatcher, 0, Answer.NOT_WRITTEN)
        assert asked(dispatcher) == {0, 1, 2, 3, 4}
        answered(dispatcher, 0, Answer.UNKNOWN)
        assert asked(dispatcher) == {4}

    decide(work)


def test_a_probe_waits_for_the_numbers_own_slot() -> None:
    def work(dispatcher: Dispatcher) -> None:
        answered(dispatcher, 0, Answer.NOT_PROCESSED)
        dispatcher._carriers._resume_at.clear()
        for number in range(4):
            dispatcher._next_free[number] = float("inf")
        assert asked(dispatcher) == {4}
        assert not dispatcher._carriers.probing

    decide(work, rate=1.0)


def test_a_slow_carrier_takes_nobody_elses_room() -> None:
    def work(dispatcher: Dispatcher) -> None:
        dispatcher._leaving[ACCOUNT] = 10_000
        assert asked(dispatcher) == {4}

    decide(work)


def test_a_probe_that_finds_nothing_to_send_holds_up_nobody() -> None:
    """The number that is tried first waits for the turn of its hourly limit: the next one is tried."""

    def work(dispatcher: Dispatcher) -> None:
        for number in range(3):
            limited = DueStream(number, number, ACCOUNT, "+1888", None, 5, "campaign:1", 60)
            dispatcher._numbers[number].streams[:] = [limited]
        dispatcher._next_of_hour["campaign:1"] = float("inf")
        answered(dispatcher, 0, Answer.NO_CONNECTION)
        dispatcher._carriers._resume_at.clear()
        assert asked(dispatcher) == {3, 4}
        del dispatcher._numbers[3]
        dispatcher._carriers.probing.clear()
        assert asked(dispatcher) == {4}
        assert not dispatcher._carriers.probing

    decide(work)


def test_who_share_an_hourly_limit_take_turns() -> None:
    def work(dispatcher: Dispatcher) -> None:
        dispatcher._numbers[0].streams[:] = [
            DueStream(10 + place, 0, ACCOUNT, "+1888", None, 5, "campaign:1", 60) for place in range(3)
        ]
        turns = [[want.stream_id for want in dispatcher._wants() if want.number_id == 0] for _ in range(6)]
        assert all(len(turn) == 1 for turn in turns)
        assert {stream for (stream,) in turns} == {10, 11, 12}

    decide(work)


def test_what_waits_for_its_slot_goes_back_once_three_are_in_doubt_but_not_after_a_word_of_too_many() -> None:
    def work(dispatcher: Dispatcher) -> None:
        carriers = dispatcher._carriers
        for _ in range(5):
            answered(dispatcher, 0, Answer.NOT_PROCESSED)
        assert not carriers.in_doubt(ACCOUNT)
        for _ in range(3):
            answered(dispatcher, 0, Answer.UNKNOWN)
        assert carriers.in_doubt(ACCOUNT)
        carriers.probing.add(ACCOUNT)
        assert not carriers.in_doubt(ACCOUNT), "the one that is tried may go"
        answered(dispatcher, 0, Answer.ACCEPTED)
        assert not carriers.in_doubt(ACCOUNT)

    decide(work)
