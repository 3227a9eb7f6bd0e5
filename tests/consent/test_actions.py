from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, transaction

from common.sql import run
from consent.actions import ReplyKind, remember_stop_word
from consent.actions.programs import UnusableStopWord
from consent.models import CarrierBlock, ConsentRecord, ConsentState
from consent.queries import is_opted_out
from tests.world import World

PHONE = "+12567346043"


@pytest.fixture
def text(world: World, now: datetime) -> Callable[..., list[ReplyKind]]:
    """Receive a text and return the kinds of replies that are due."""
    count = 0

    def receive(
        body: str, *, toll_free: bool = False, carrier_replied: bool = False, days: int = 0, scope: str = "ALL"
    ) -> list[ReplyKind]:
        nonlocal count
        count += 1
        at = now + timedelta(days=days)
        last = world.program.id if scope != "ALL" else 0
        replies = world.receive(
            PHONE,
            body,
            at=at,
            sid=f"SM{count}",
            toll_free=toll_free,
            carrier_replied=carrier_replied,
            stop_scope=scope,
            last_program_id=last,
        )
        return [reply.kind for reply in replies]

    return receive


def granted(world: World) -> bool:
    with world.scope():
        return ConsentState.objects.filter(phone=PHONE, program_id=world.program.id, granted=True).exists()


def test_stop_stops_everything_and_is_confirmed_once(world: World, text: Callable[..., list[ReplyKind]]) -> None:
    world.consent(PHONE)
    assert text("Stop.") == [ReplyKind.STOPPED]
    assert text("STOP") == []
    assert not granted(world)
    with world.scope():
        assert is_opted_out(PHONE)
        assert ConsentRecord.objects.filter(action="WITHDRAW").count() == 1


def test_start_brings_back_what_stop_took(world: World, text: Callable[..., list[ReplyKind]]) -> None:
    world.consent(PHONE)
    text("stop")
    assert text("START") == [ReplyKind.STARTED]
    assert granted(world)
    with world.scope():
        assert not is_opted_out(PHONE)


def test_a_start_that_is_older_than_the_stop_lifts_nothing(world: World, text: Callable[..., list[ReplyKind]]) -> None:
    """It waited in a queue, or came by another number, while the person changed their mind."""
    world.consent(PHONE)
    text("STOP", days=1)
    assert text("START") == []
    assert not granted(world)
    with world.scope():
        assert is_opted_out(PHONE)


def test_start_gives_nothing_that_was_never_agreed_to(world: World, text: Callable[..., list[ReplyKind]]) -> None:
    text("stop")
    text("start")
    assert not granted(world)


def test_on_toll_free_the_network_answers_its_own_words_only(
    world: World, text: Callable[..., list[ReplyKind]]
) -> None:
    assert text("STOP", toll_free=True) == []
    with world.scope():
        assert CarrierBlock.objects.filter(phone=PHONE, lifted_at=None).exists()
    assert text("UNSTOP", toll_free=True) == []
    with world.scope():
        assert not CarrierBlock.objects.filter(phone=PHONE, lifted_at=None).exists()
        assert not is_opted_out(PHONE)
    assert text("quit", toll_free=True) == [ReplyKind.STOPPED]


def test_yes_is_start_only_for_the_stopped_and_not_on_toll_free(
    world: World, text: Callable[..., list[ReplyKind]]
) -> None:
    assert text("yes") == []
    text("stop")
    assert text("yes", toll_free=True) == []
    with world.scope():
        assert is_opted_out(PHONE)
    assert text("yes") == [ReplyKind.STARTED]


def test_where_the_carrier_has_answered_we_do_not(text: Callable[..., list[ReplyKind]]) -> None:
    assert text("help", carrier_replied=True) == []
    assert text("help") == [ReplyKind.HELP]


def test_a_text_opens_a_conversation_and_a_further_one_renews_it(
    world: World, now: datetime, text: Callable[..., list[ReplyKind]]
) -> None:
    text("When do you open?")
    text("Hello?", days=5)
    with world.scope():
        state = ConsentState.objects.get(phone=PHONE, program_id=0)
        assert state.changed_at == now + timedelta(days=5)
        assert ConsentRecord.objects.filter(phone=PHONE, program_id=0).count() == 1


def test_a_text_from_the_stopped_does_not_reopen_anything(world: World, text: Callable[..., list[ReplyKind]]) -> None:
    text("stop")
    text("why do you text me")
    with world.scope():
        assert not ConsentState.objects.filter(phone=PHONE, granted=True).exists()


def test_a_campaigns_own_word_stops_on_its_number(
    world: World, now: datetime, text: Callable[..., list[ReplyKind]]
) -> None:
    with world.scope():
        remember_stop_word(sender_number_id=world.number.id, word="No more!", now=now)
    assert text("no more") == [ReplyKind.STOPPED]


@pytest.mark.parametrize("word", ["", "!!", "start", "HELP"])
def test_a_word_that_means_something_else_cannot_stop(world: World, now: datetime, word: str) -> None:
    with world.scope(), pytest.raises(UnusableStopWord, match="NOMORE"):
        remember_stop_word(sender_number_id=world.number.id, word=word, now=now)


@pytest.mark.parametrize("table", ["consent_consentrecord", "consent_consentseal", "consent_programversion"])
def test_proof_is_append_only(world: World, table: str) -> None:
    world.consent(PHONE)
    for change in (f"UPDATE {table} SET id = id", f"DELETE FROM {table}"):
        with world.scope(), pytest.raises(DatabaseError), transaction.atomic():
            run(change)
