from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, transaction

from common.sql import run
from consent.actions import (
    Noted,
    OptInRefused,
    ProgramDetails,
    ReplyKind,
    create_program,
    grant,
    grant_by_import,
    note_consent,
    note_withdrawal,
    remember_stop_word,
    state_import,
)
from consent.actions.imports import Granted
from consent.actions.opt_ins import lift_opt_out
from consent.actions.programs import UnusableStopWord
from consent.models import CarrierBlock, ConsentRecord, ConsentState
from consent.queries import differences, has_stopped, is_opted_out
from consent.rules.keywords import Keyword
from consent.rules.media import Level, Medium
from tests.world import ACTOR, World

PHONE = "+12567346043"


@pytest.fixture
def text(world: World, now: datetime) -> Callable[..., list[ReplyKind]]:
    """Receive a text and return the kinds of replies that are due."""
    count = 0

    def receive(
        body: str, *, toll_free: bool = False, carrier_keyword: Keyword | None = None, days: int = 0, scope: str = "ALL"
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
            carrier_keyword=carrier_keyword,
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
    assert text("help", carrier_keyword=Keyword.HELP) == []
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


@pytest.mark.parametrize("word", ["", "!!", "start", "HELP", "ok", "Y", "begin!", "keep"])
def test_a_word_that_means_something_else_cannot_stop(world: World, now: datetime, word: str) -> None:
    with world.scope(), pytest.raises(UnusableStopWord, match="NOMORE"):
        remember_stop_word(sender_number_id=world.number.id, word=word, now=now)


def test_a_stop_word_with_accents_is_typed_without_them(
    world: World, now: datetime, text: Callable[..., list[ReplyKind]]
) -> None:
    with world.scope():
        remember_stop_word(sender_number_id=world.number.id, word="ADIÓS", now=now)
    assert text("Adios") == [ReplyKind.STOPPED]


def test_what_only_the_carrier_takes_for_stop_stops(world: World, text: Callable[..., list[ReplyKind]]) -> None:
    world.consent(PHONE)
    assert text("FINI", carrier_keyword=Keyword.STOP) == [], "it has answered"
    with world.scope():
        assert is_opted_out(PHONE)


def test_start_brings_back_what_the_last_stop_took_and_no_more(
    world: World, now: datetime, text: Callable[..., list[ReplyKind]]
) -> None:
    world.consent(PHONE)
    with world.scope():
        other = create_program(
            name="Deals",
            level=Level.INFORMATIONAL,
            brand="Bakery",
            opt_in_text="I agree.",
            details=ProgramDetails(),
            actor=ACTOR,
            now=now,
        )
        grant(other, PHONE, medium=Medium.WEB_FORM, at=now, actor_label="the form", now=now)
    text("stop", days=1)
    with world.scope():
        at = now + timedelta(days=2)
        lift_opt_out(PHONE, medium=Medium.KEYWORD, inbound_sid="SMjoin", at=at, now=at)
        grant_by_word(world, at)
    text("stop", days=3)
    text("start", days=4)
    assert granted(world)
    with world.scope():
        assert not ConsentState.objects.get(phone=PHONE, program_id=other.id).granted, "of an older stop"


def test_an_old_start_brings_back_nothing_that_was_stopped_since(
    world: World, text: Callable[..., list[ReplyKind]]
) -> None:
    world.consent(PHONE)
    text("stop", days=2, scope="PROGRAM")
    assert not granted(world)
    text("start", days=1)
    assert not granted(world), "it waited somewhere"
    text("start", days=3)
    assert granted(world)


def test_only_the_person_comes_back_to_a_program_that_they_stopped(
    world: World, now: datetime, text: Callable[..., list[ReplyKind]]
) -> None:
    world.consent(PHONE)
    text("stop", days=1, scope="PROGRAM")
    later = now + timedelta(days=2)
    with world.scope():
        statement = state_import(
            program=world.program, medium=Medium.PAPER_FORM, agreed_at=later, how="on paper", actor=ACTOR, now=later
        )
        assert grant_by_import(statement, [PHONE], now=later) == Granted(0, 0, kept_withdrawn=1)
        noted = Noted("told us", Medium.PAPER_FORM, later, evidence_id=1)
        with pytest.raises(OptInRefused, match="Only they can come back"):
            note_consent(PHONE, program_id=world.program.id, noted=noted, actor=ACTOR, now=later)
        assert has_stopped(PHONE, program_id=world.program.id)
        grant_by_word(world, later)
        assert not has_stopped(PHONE, program_id=world.program.id)
    assert granted(world)


def test_a_file_says_nothing_of_who_took_it_back_unless_it_names_their_own_day(world: World, now: datetime) -> None:
    world.consent(PHONE)
    later = now + timedelta(days=2)
    with world.scope():
        note_withdrawal(PHONE, program_id=world.program.id, reason="told us", actor=ACTOR, now=now + timedelta(days=1))
        statement = state_import(
            program=world.program, medium=Medium.PAPER_FORM, agreed_at=later, how="by then", actor=ACTOR, now=later
        )
        assert grant_by_import(statement, [PHONE], now=later).kept_withdrawn == 1
        assert not ConsentState.objects.filter(phone=PHONE, program_id=world.program.id, granted=True).exists()
        own = state_import(program=world.program, medium=None, agreed_at=later, how="each", actor=ACTOR, now=later)
        assert grant_by_import(own, [PHONE], own=[(later, Medium.PAPER_FORM)], now=later) == Granted(1, 0)
        assert list(differences()) == []
    assert granted(world)


def grant_by_word(world: World, at: datetime) -> None:
    grant(world.program, PHONE, medium=Medium.KEYWORD, at=at, actor_label=PHONE, now=at)


@pytest.mark.parametrize("table", ["consent_consentrecord", "consent_consentseal", "consent_programversion"])
def test_proof_is_append_only(world: World, table: str) -> None:
    world.consent(PHONE)
    for change in (f"UPDATE {table} SET id = id", f"DELETE FROM {table}"):
        with world.scope(), pytest.raises(DatabaseError), transaction.atomic():
            run(change)
