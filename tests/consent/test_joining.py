"""Joining: words, double opt-ins, the scope of STOP, wishes in other words, what staff may note."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from common.tenancy import across_organizations
from consent.actions import (
    JoinWord,
    Noted,
    OptInRefused,
    ProgramDetails,
    ProgramRefused,
    ReplyKind,
    UnusableStopWord,
    change_program,
    create_program,
    note_consent,
    note_withdrawal,
    open_request,
    opt_out_by_staff,
    remember_stop_word,
)
from consent.models import (
    ConsentRecord,
    ConsentState,
    OptInRequest,
    OptOut,
    PossibleOptOut,
    Program,
    ProgramVersion,
)
from consent.queries import is_opted_out
from consent.rules.media import Level, Medium
from messaging.actions.opt_ins import request_opt_in, tend_requests
from messaging.actions.settling import Settlement, settle
from messaging.models import Message, Stream
from messaging.rules.states import State
from tests.messaging.test_claims import claim
from tests.world import ACTOR, World

ADA, BEN = "+12567346043", "+12567346044"


def details(world: World, **more: object) -> ProgramDetails:
    words = (JoinWord(world.number.id, "JOIN", "on the window"),)
    return ProgramDetails(join_words=words, **more)  # type: ignore[arg-type]


def change(world: World, *, text: str = "I agree.", level: Level = Level.INFORMATIONAL, **more: object) -> Program:
    with world.scope():
        return change_program(
            world.program.id,
            name="Updates",
            level=level,
            brand="Bakery",
            opt_in_text=text,
            details=details(world, **more),
            actor=ACTOR,
            now=world.now,
        )


def agreed(world: World) -> bool:
    with world.scope():
        return ConsentState.objects.filter(phone=ADA, program_id=world.program.id, granted=True).exists()


# Words --------------------------------------------------------------------------------------------------------------


def test_a_word_joins_with_the_text_as_proof(world: World, now: datetime) -> None:
    change(world, frequency="up to 4 texts a month")
    (reply,) = world.receive(ADA, "Join!", at=now, sid="SM7")
    assert (reply.kind, reply.text[:7]) == (ReplyKind.JOINED, "Bakery:")
    assert "Up to 4 texts a month." in reply.text
    assert "STOP" in reply.text
    assert agreed(world)
    with world.scope():
        record = ConsentRecord.objects.get(action="GRANT", program_id=world.program.id)
        assert (record.medium, record.inbound_sid, record.note) == ("KEYWORD", "SM7", "on the window")
        assert record.program_version == 1


def test_a_word_lifts_an_opt_out_for_its_program_alone(world: World, now: datetime) -> None:
    change(world)
    with world.scope():
        other = create_program(
            name="Other", level=Level.INFORMATIONAL, brand="Bakery", opt_in_text="I agree.", actor=ACTOR, now=now
        )
    world.consent(ADA)
    with world.scope():
        noted = Noted("at the counter", Medium.PAPER_FORM, now, 1)
        note_consent(ADA, program_id=other.id, noted=noted, actor=ACTOR, now=now)
    world.receive(ADA, "stop", at=now)
    world.receive(ADA, "join", at=now + timedelta(minutes=1))
    assert agreed(world)
    with world.scope():
        assert not is_opted_out(ADA)
        assert not ConsentState.objects.get(phone=ADA, program_id=other.id).granted
        assert [row.action for row in ConsentRecord.objects.filter(program_id=0).order_by("id")] == [
            "STOP",
            "START",
            "GRANT",
        ]


@pytest.mark.parametrize("word", ["stop", "START", "Help", "yes", "keep", "arret", "OK", "y"])
def test_a_word_that_means_something_to_everybody_joins_nothing(world: World, word: str) -> None:
    with world.scope(), pytest.raises(ProgramRefused, match="JOIN"):
        change_program(
            world.program.id,
            name="Updates",
            level=Level.INFORMATIONAL,
            brand="Bakery",
            opt_in_text="I agree.",
            details=ProgramDetails(join_words=(JoinWord(world.number.id, word),)),
            actor=ACTOR,
            now=world.now,
        )


@pytest.mark.parametrize("word", ["start", "stop", "help", "JOIN", "nomore"])
def test_a_word_that_means_something_else_confirms_nothing(world: World, now: datetime, word: str) -> None:
    with world.scope():
        create_program(
            name="Second",
            level=Level.INFORMATIONAL,
            brand="Bakery",
            opt_in_text="I agree.",
            details=details(world),
            actor=ACTOR,
            now=now,
        )
        remember_stop_word(sender_number_id=world.number.id, word="nomore", now=now)
        with pytest.raises(ProgramRefused, match="means something else"):
            change_program(
                world.program.id,
                name="Updates",
                level=Level.INFORMATIONAL,
                brand="Bakery",
                opt_in_text="I agree.",
                details=ProgramDetails(double_opt_in=True, positive_words=("yes", word)),
                actor=ACTOR,
                now=now,
            )


def test_a_yes_answers_the_question_that_was_put_last_and_none_that_came_after_it(world: World, now: datetime) -> None:
    with world.scope():
        other = create_program(
            name="Bread",
            level=Level.INFORMATIONAL,
            brand="Bakery",
            opt_in_text="I agree.",
            details=ProgramDetails(double_opt_in=True),
            actor=ACTOR,
            now=now,
        )
        for place, program in enumerate((world.program, other), 1):
            asked = open_request(
                program,
                ADA,
                sender_number_id=world.number.id,
                medium=Medium.WEB_FORM,
                basis="on our page",
                asked_for_at=now,
                actor_label=ADA,
                now=now + timedelta(hours=place),
            )
            OptInRequest.objects.filter(id=asked.id).update(message_id=place)
        OptInRequest.objects.filter(message_id=1).update(reminded_at=now + timedelta(hours=30))
    early = now + timedelta(hours=20)
    world.receive(ADA, "yes", at=early, has_reached=lambda message_id, before: False)
    with world.scope():
        assert not ConsentRecord.objects.filter(medium=Medium.DOUBLE_OPT_IN).exists(), "nothing had reached them"
    world.receive(ADA, "yes", at=now + timedelta(hours=31))
    with world.scope():
        confirmed = ConsentRecord.objects.get(medium=Medium.DOUBLE_OPT_IN)
        assert confirmed.program_id == world.program.id, "they were reminded of it"


def test_people_are_answered_in_the_words_of_the_program_that_they_joined(world: World, now: datetime) -> None:
    def texts(body: str, days: int) -> list[str]:
        return [reply.text for reply in world.receive(ADA, body, at=now + timedelta(days=days))]

    with world.scope():
        own = ProgramDetails(
            confirmation_text="Bakery: Welcome to our own words. Reply HELP for help, STOP to stop.",
            help_text="Bakery: Ask us at the counter, any time. Reply STOP to stop.",
            opt_out_text="Bakery: That was our last text to you.",
            join_words=(JoinWord(world.number.id, "BREAD"),),
        )
        create_program(
            name="Bread",
            level=Level.INFORMATIONAL,
            brand="Bakery",
            opt_in_text="I agree.",
            details=own,
            actor=ACTOR,
            now=now,
        )
    change(world)
    assert texts("join", 1)[0].startswith("Bakery: You get Updates by text now.")
    assert texts("help", 2)[0].startswith("Bakery: Help with Updates"), "never in the words of what they did not join"
    assert texts("Bread!", 3) == [own.confirmation_text]
    assert texts("help", 4) == [own.help_text], "of what they joined last"
    with world.scope():
        note_withdrawal(ADA, program_id=world.program.id, reason="told us", actor=ACTOR, now=now + timedelta(days=5))
    assert texts("stop", 6) == [own.opt_out_text]


def test_the_word_that_stops_ones_texts_joins_nothing(world: World) -> None:
    with world.scope():
        world.organization.opt_out_word = "join"
        world.organization.save()
    with pytest.raises(ProgramRefused, match="stops your texts"):
        change(world)


def test_a_word_means_one_thing_on_a_number(world: World, now: datetime) -> None:
    change(world)
    with world.scope():
        with pytest.raises(ProgramRefused, match="Updates"):
            create_program(
                name="Second",
                level=Level.INFORMATIONAL,
                brand="Bakery",
                opt_in_text="I agree.",
                details=details(world),
                actor=ACTOR,
                now=now,
            )
        with pytest.raises(UnusableStopWord, match="joins one of your programs"):
            remember_stop_word(sender_number_id=world.number.id, word="join", now=now)


def test_words_that_changed_are_a_new_version_and_old_consent_is_to_the_old_one(world: World, now: datetime) -> None:
    change(world)
    world.receive(ADA, "join", at=now)
    change(world, text="I agree to more.")
    with world.scope():
        assert list(ProgramVersion.objects.order_by("version").values_list("opt_in_text", flat=True)) == [
            "I agree.",
            "I agree to more.",
        ]
        assert ConsentRecord.objects.get(medium="KEYWORD").program_version == 1


def test_consent_to_information_is_never_turned_into_promotion(world: World, now: datetime) -> None:
    change(world, level=Level.PROMOTIONAL)
    change(world, level=Level.INFORMATIONAL)
    world.consent(ADA)
    with pytest.raises(ProgramRefused, match="does not carry over"):
        change(world, level=Level.PROMOTIONAL)


# Double opt-in ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["Y", "yes", "Ok!", "BEGIN"])
def test_a_word_of_a_double_opt_in_asks_and_a_yes_confirms(world: World, now: datetime, answer: str) -> None:
    change(world, double_opt_in=True)
    (reply,) = world.receive(ADA, "join", at=now, sid="SM1")
    assert reply.kind is ReplyKind.ASKED
    assert "Reply YES" in reply.text
    assert not agreed(world)
    (reply,) = world.receive(ADA, answer, at=now + timedelta(hours=1), sid="SM2")
    assert reply.kind is ReplyKind.JOINED
    assert agreed(world)
    with world.scope():
        record = ConsentRecord.objects.get(medium="DOUBLE_OPT_IN")
        assert record.inbound_sid == "SM2"
        assert record.note is not None
        assert "Texted JOIN" in record.note
        assert "on the window" in record.note


def test_a_yes_too_late_or_without_a_question_grants_nothing(world: World, now: datetime) -> None:
    change(world, double_opt_in=True)
    world.receive(ADA, "yes", at=now)
    world.receive(ADA, "join", at=now)
    world.receive(ADA, "yes", at=now + timedelta(days=8))
    assert not agreed(world)


def ask(
    world: World, now: datetime, *, phone: str = ADA, by_person: bool = False, basis: str = "on our page"
) -> OptInRequest:
    with world.scope():
        return request_opt_in(
            world.program,
            phone,
            number=world.number,
            medium=Medium.WEB_FORM,
            basis=basis,
            asked_for_at=now,
            actor=ACTOR,
            now=now,
            by_person=by_person,
        )


def streams(world: World) -> list[Stream]:
    with world.scope():
        return list(Stream.objects.filter(kind="OPT_IN_REQUEST").order_by("id"))


def test_a_request_is_texted_at_a_lawful_hour_and_once_in_thirty_days(world: World, now: datetime) -> None:
    change(world, double_opt_in=True)
    night = now.replace(hour=6)  # 6:00 UTC is midnight in Alabama
    request = ask(world, night)
    (stream,) = streams(world)
    assert claim(world, night, stream) == []
    (row,) = claim(world, night.replace(hour=15), stream)
    assert (row.message_id, row.state) == (request.message_id, "CLAIMED")
    with pytest.raises(OptInRefused, match="30 days"):
        ask(world, night + timedelta(days=29))
    assert ask(world, night + timedelta(days=31)).id != request.id


def test_a_request_needs_to_know_who_asked_for_it(world: World, now: datetime) -> None:
    change(world, double_opt_in=True)
    with pytest.raises(OptInRefused, match="where and when"):
        ask(world, now, basis=" ")


def test_who_said_stop_is_asked_by_nobody_and_comes_back_by_their_own_text(world: World, now: datetime) -> None:
    change(world, double_opt_in=True)
    world.receive(ADA, "stop", at=now)
    with pytest.raises(OptInRefused, match="said STOP"):
        ask(world, now)
    ask(world, now, by_person=True)
    with world.scope():
        assert not Message.objects.exists(), "nothing is sent"
    world.receive(ADA, "yes", at=now + timedelta(hours=1))
    assert agreed(world)
    with world.scope():
        assert not is_opted_out(ADA)


def test_on_toll_free_only_the_network_lets_them_back(world: World, now: datetime) -> None:
    change(world, double_opt_in=True)
    world.receive(ADA, "stop", at=now, toll_free=True)
    ask(world, now, by_person=True)
    assert world.receive(ADA, "yes", at=now + timedelta(hours=1), toll_free=True) == []
    assert not agreed(world)
    world.receive(ADA, "UNSTOP", at=now + timedelta(hours=2), toll_free=True)
    world.receive(ADA, "yes", at=now + timedelta(hours=3), toll_free=True)
    assert agreed(world)


def test_stop_ends_what_was_asked(world: World, now: datetime) -> None:
    change(world, double_opt_in=True)
    ask(world, now)
    world.receive(ADA, "stop", at=now)
    world.receive(ADA, "yes", at=now + timedelta(hours=1))
    assert not agreed(world), "YES after STOP is START, and START brings back what STOP took: nothing"


def test_one_reminder_and_no_more(committed_world: World, now: datetime) -> None:
    world = committed_world
    change(world, double_opt_in=True)
    request = ask(world, now)
    tend_requests(now=now + timedelta(hours=25))
    with world.scope():
        assert Message.objects.count() == 1, "the first text never left: there is nothing to remind of"
        Message.objects.update(captured=True)
        OptInRequest.objects.update(reminded_at=None)
    for hours in (26, 50):
        tend_requests(now=now + timedelta(hours=hours))
    with world.scope():
        again = Message.objects.get(reply_key=f"opt-in:{request.id}:again")
        assert "Reply YES" in again.body
        assert Message.objects.count() == 2
    tend_requests(now=now + timedelta(days=8))
    with world.scope():
        assert OptInRequest.objects.get().state == "EXPIRED"
    world.receive(ADA, "yes", at=now + timedelta(days=8))
    assert not agreed(world)


# The scope of STOP --------------------------------------------------------------------------------------------------


def two_programs(world: World) -> Program:
    with world.scope():
        other: Program = create_program(
            name="Offers", level=Level.INFORMATIONAL, brand="Bakery", opt_in_text="I agree.", actor=ACTOR, now=world.now
        )
        noted = Noted("at the counter", Medium.PAPER_FORM, world.now - timedelta(days=1), 1)
        note_consent(ADA, program_id=other.id, noted=noted, actor=ACTOR, now=world.now)
    world.consent(ADA)
    return other


def granted_programs(world: World) -> set[int]:
    with world.scope():
        states = ConsentState.objects.filter(phone=ADA, granted=True).exclude(program_id=0)
        return set(states.values_list("program_id", flat=True))


def test_stop_of_one_program_and_a_second_one_of_all(world: World, now: datetime) -> None:
    other = two_programs(world)
    scope: dict[str, Any] = {"stop_scope": "PROGRAM", "last_program_id": other.id}
    (reply,) = world.receive(ADA, "stop", at=now, **scope)
    assert "“Offers”" in reply.text
    assert "STOPALL" in reply.text
    assert granted_programs(world) == {world.program.id}
    world.receive(ADA, "stop", at=now + timedelta(minutes=1), **scope)
    with world.scope():
        assert is_opted_out(ADA)
    assert granted_programs(world) == set()


@pytest.mark.parametrize(
    ("word", "scope"),
    [("stopall", "PROGRAM"), ("stop", "ALL"), ("stop", "ASK")],
)
def test_stop_of_everything(world: World, now: datetime, word: str, scope: str) -> None:
    other = two_programs(world)
    world.receive(ADA, word, at=now, stop_scope=scope, last_program_id=other.id)
    assert granted_programs(world) == set()


def test_no_answer_to_the_question_means_all_and_keep_brings_the_others_back(world: World, now: datetime) -> None:
    other = two_programs(world)
    scope: dict[str, Any] = {"stop_scope": "ASK", "last_program_id": other.id}
    (reply,) = world.receive(ADA, "stop", at=now, **scope)
    assert "reply KEEP" in reply.text
    assert granted_programs(world) == set()
    world.receive(ADA, "keep", at=now + timedelta(hours=25), **scope)
    assert granted_programs(world) == set(), "too late"
    world.receive(ADA, "Keep.", at=now + timedelta(hours=23), **scope)
    assert granted_programs(world) == {world.program.id}


def test_keep_is_an_answer_to_the_question_alone(world: World, now: datetime) -> None:
    """With one program there is nothing to ask: KEEP is a word as any other, and they stay stopped."""
    world.consent(ADA)
    scope: dict[str, Any] = {"stop_scope": "ASK", "last_program_id": world.program.id}
    (reply,) = world.receive(ADA, "stop", at=now, **scope)
    assert "KEEP" not in reply.text
    assert world.receive(ADA, "keep", at=now + timedelta(hours=1), **scope) == []
    with world.scope():
        assert is_opted_out(ADA)


def test_a_stop_that_waited_is_obeyed_and_confirmed_no_more(world: World, now: datetime) -> None:
    """One confirmation is presumed to be lawful within five minutes (47 CFR 64.1200(a)(12))."""
    world.consent(ADA)
    assert world.receive(ADA, "stop", at=now, now=now + timedelta(minutes=5, seconds=1)) == []
    with world.scope():
        assert is_opted_out(ADA)


# In other words -----------------------------------------------------------------------------------------------------


def test_a_wish_in_other_words_pauses_and_asks_once(world: World, now: datetime) -> None:
    world.consent(ADA)
    for minute in range(2):
        assert world.receive(ADA, "please stop texting me", at=now + timedelta(minutes=minute)) == []
    with world.scope():
        assert PossibleOptOut.objects.count() == 1
        assert not is_opted_out(ADA)
    world.receive(ADA, "STOP", at=now + timedelta(minutes=3))
    with world.scope():
        assert PossibleOptOut.objects.get().verdict == "STOPPED"


def test_who_may_want_to_stop_is_neither_asked_nor_reminded(world: World, now: datetime) -> None:
    change(world, double_opt_in=True)
    for phone in (ADA, BEN):
        ask(world, now, phone=phone)
    world.receive(BEN, "please stop texting me", at=now)
    (stream,) = streams(world)
    found = {one.phone: one for one in claim(world, now, stream)}
    assert [found[phone].reason for phone in (ADA, BEN)] == ["", "maybe_stop"]
    with across_organizations(because="as the dispatcher does"):
        settle([Settlement(found[ADA].message_id, State.ACCEPTED, sid="SM1")], now=now)
    world.receive(ADA, "wrong number", at=now + timedelta(hours=1))
    tend_requests(now=now + timedelta(days=1, hours=1))
    with world.scope():
        assert not Message.objects.filter(reply_key__endswith=":again").exists()


# By hand ------------------------------------------------------------------------------------------------------------


def noted(now: datetime, medium: Medium = Medium.PAPER_FORM, *, reason: str = "signed", evidence: int = 1) -> Noted:
    return Noted(reason, medium, now, evidence or None)


def test_what_staff_note_has_a_reason_and_for_promotion_a_proof(world: World, now: datetime) -> None:
    change(world, level=Level.PROMOTIONAL)
    with world.scope():
        for wrong, words in [
            (noted(now, reason=""), "Say how you know"),
            (noted(now, Medium.VERBAL), "not enough"),
            (noted(now, evidence=0), "need proof"),
            (noted(now + timedelta(days=1)), "future"),
            (noted(now, Medium.INBOUND_TEXT), "not enough"),
        ]:
            with pytest.raises(OptInRefused, match=words):
                note_consent(ADA, program_id=world.program.id, noted=wrong, actor=ACTOR, now=now)
        note_consent(ADA, program_id=world.program.id, noted=noted(now), actor=ACTOR, now=now)
        with pytest.raises(OptInRefused, match="already"):
            note_consent(ADA, program_id=world.program.id, noted=noted(now), actor=ACTOR, now=now)
        note_withdrawal(ADA, program_id=world.program.id, reason="by phone", actor=ACTOR, now=now)
        with pytest.raises(OptInRefused, match="no consent"):
            note_withdrawal(ADA, program_id=world.program.id, reason="by phone", actor=ACTOR, now=now)
    assert not agreed(world)
    world.receive(ADA, "start", at=now + timedelta(days=1))
    assert not agreed(world), "START brings back what STOP took, and nothing else"


def test_staff_never_bring_back_who_said_stop(world: World, now: datetime) -> None:
    with world.scope():
        opt_out_by_staff(ADA, actor=ACTOR, now=now)
        with pytest.raises(OptInRefused, match="Only they can come back"):
            note_consent(ADA, program_id=world.program.id, noted=noted(now), actor=ACTOR, now=now)
        with pytest.raises(OptInRefused, match="said STOP"):
            open_request(
                world.program,
                ADA,
                sender_number_id=world.number.id,
                medium=Medium.WEB_FORM,
                basis="on our page",
                asked_for_at=now,
                actor_label="x",
                now=now,
            )


def test_a_start_between_two_stops_lifts_nothing_when_it_comes_late(world: World, now: datetime) -> None:
    world.receive(ADA, "stop", at=now)
    world.receive(ADA, "stop", at=now + timedelta(minutes=10))
    world.receive(ADA, "start", at=now + timedelta(minutes=5), now=now + timedelta(minutes=11))
    with world.scope():
        assert is_opted_out(ADA)
        assert OptOut.objects.get().opted_out_at == now, "the first one is told"
    world.receive(ADA, "start", at=now + timedelta(minutes=12))
    with world.scope():
        assert not is_opted_out(ADA)
