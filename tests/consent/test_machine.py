"""Whatever people, staff, files and carriers do in whatever order: nobody is texted without valid consent.

A machine of hypothesis drives the product against PostgreSQL for hundreds of steps: imports, notes by staff, keywords,
double opt-ins, opt-outs by every path, undone imports, texts queued for anybody. `Person` is what a lawyer would keep
on paper: it knows nothing of the product's tables, and every text that is given leave is held against it.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from consent.actions import (
    JoinWord,
    Noted,
    OptInRefused,
    ProgramDetails,
    Wish,
    change_program,
    create_program,
    grant_by_import,
    note_carrier_opt_out,
    note_consent,
    note_withdrawal,
    open_request,
    opt_out_by_file,
    opt_out_by_link,
    opt_out_by_staff,
    resolve_possible_opt_out,
    state_import,
    undo_statement,
    withdraw_records,
)
from consent.actions.imports import Granted
from consent.models import ConsentState, ImportStatement, OptInRequest, OptOut, Program
from consent.queries import differences, opted_out_among
from consent.rules.media import Level, Medium
from consent.rules.projection import CONVERSATIONAL, LONG_AGO
from messaging.models import Stream
from messaging.rules.kinds import TextKind
from messaging.rules.states import State
from tests.messaging.test_claims import claim, queue, stream_of
from tests.world import ACTOR, World, build_world

PHONES = [f"+1256734{number:04}" for number in range(6000, 6005)]
EXAMPLES = int(os.environ.get("CARILLON_MACHINE_EXAMPLES", "3"))
STEPS = 500

NEWS, OFFERS = 0, 1
"""Which of the two programs: news is joined by a word, offers by a double opt-in and for promotional texts."""

phones = st.sampled_from(PHONES)
which = st.sampled_from([NEWS, OFFERS])


@dataclass(frozen=True)
class Said:
    """A yes or no to a program on paper; `by_stop`: a no that START takes back; `file`: an import that says it."""

    yes: bool
    at: datetime
    by_stop: bool = False
    by_person: bool = False
    file: int = 0


@dataclass
class Person:
    """What is known of one phone."""

    stopped_at: datetime | None = None
    stopped_first: datetime = LONG_AGO
    """Of the stops that stand, the one that took their consents."""
    paused: bool = False
    blocked: bool = False
    """By their network, on our number: until they text START or YES to it."""
    wrote_at: datetime | None = None
    said: dict[int, list[Said]] = field(default_factory=lambda: {NEWS: [], OFFERS: []})
    asked: dict[int, datetime] = field(default_factory=dict)
    """Programs that wait for a yes, with when the question ends."""
    asked_at: dict[int, datetime] = field(default_factory=dict)
    asked_by_text: set[int] = field(default_factory=set)

    @property
    def may_be_texted(self) -> bool:
        return self.stopped_at is None and not self.blocked

    @property
    def cannot_join(self) -> bool:
        """What we would answer does not reach them, nor anything else."""
        return self.stopped_at is not None and self.blocked

    def standing(self, program: int, struck: set[int]) -> tuple[bool, bool, datetime]:
        """Whether they agree, whether START would bring it back, and since when; struck imports count for nothing."""
        agrees, by_stop, since = False, False, LONG_AGO
        for one in self.said[program]:
            if one.file in struck:
                continue
            if not one.yes:
                by_stop = one.by_stop if agrees else by_stop
                agrees, since = False, max(since, one.at)
                continue
            if by_stop and not agrees:
                counts = one.by_person
            elif one.file and not agrees and since > LONG_AGO:
                counts = False  # its day is only the last on which they can have agreed
            else:
                counts = one.at > since
            if counts:
                agrees, by_stop, since = True, False, max(since, one.at)
        return agrees, by_stop, since

    def took_back(self, program: int, struck: set[int]) -> bool:
        """Whether they agreed once and do not any more: no file says that they do again."""
        agrees, _, since = self.standing(program, struck)
        return not agrees and since > LONG_AGO

    def stops(self, at: datetime, struck: set[int]) -> None:
        self.stopped_first = self.stopped_first if self.stopped_at else at
        self.stopped_at = max(self.stopped_at or at, at)
        self.paused, self.wrote_at = False, None
        self.asked = {program: ends for program, ends in self.asked.items() if self.asked_at[program] > at}
        for program in self.said:
            if self.standing(program, struck)[0]:
                self.said[program].append(Said(False, at, by_stop=True))

    def comes_back(self, at: datetime, struck: set[int]) -> None:
        since = self.stopped_first if self.stopped_at else LONG_AGO
        self.stopped_at, self.wrote_at, self.blocked = None, max(at, self.wrote_at or at), False
        self.asked_by_text |= {program for program in self.asked if self.asked_at[program] <= at < self.asked[program]}
        for program in self.said:
            _, by_stop, taken_at = self.standing(program, struck)
            if by_stop and since <= taken_at <= at:
                self.said[program].append(Said(True, at, by_person=True))


class Consent(RuleBasedStateMachine):
    """The product in the left hand, the paper in the right."""

    handed_over = 0
    sequences: list[int] = []

    @initialize()
    def begin(self) -> None:
        from tests.conftest import NOW

        self.now = NOW
        self.world: World = build_world(NOW, credits=1_000_000)
        with self.world.scope():
            change_program(
                self.world.program.id,
                name="News",
                level=Level.INFORMATIONAL,
                brand="Bakery",
                opt_in_text="I agree.",
                details=ProgramDetails(join_words=(JoinWord(self.world.number.id, "NEWS"),)),
                actor=ACTOR,
                now=NOW,
            )
            offers = create_program(
                name="Offers",
                level=Level.PROMOTIONAL,
                brand="Bakery",
                opt_in_text="I agree.",
                details=ProgramDetails(double_opt_in=True, join_words=(JoinWord(self.world.number.id, "DEALS"),)),
                actor=ACTOR,
                now=NOW,
            )
        self.programs: list[Program] = [self.world.program, offers]
        self.people = {phone: Person() for phone in PHONES}
        self.files: list[ImportStatement] = []
        self.struck: set[int] = set()
        self.count = self.steps = 0

    # Time and sending --------------------------------------------------------------------------------------------

    @rule(hours=st.sampled_from([1, 1, 6, 24, 24 * 8, 24 * 31]))
    def time_passes(self, hours: int) -> None:
        self.tick(timedelta(hours=hours))

    def tick(self, by: timedelta = timedelta(seconds=1)) -> None:
        self.now += by
        self.count += 1

    @rule(program=which, some=st.lists(phones, min_size=1, max_size=5, unique=True))
    def texts_are_queued_and_given_leave(self, program: int, some: list[str]) -> None:
        """For anybody, whether they agreed or not: as if every check before the last one had been forgotten."""
        self.tick()
        stream = self.stream(TextKind.CAMPAIGN, program)
        queue(self.world, stream, some, self.now, body=f"text {self.count}")
        for one in claim(self.world, self.now, stream):
            person = self.people[one.phone]
            agrees, _, _ = person.standing(program, self.struck)
            allowed = agrees and person.may_be_texted and not person.paused
            assert (one.state == State.CLAIMED) == allowed, (one.phone, one.reason, person)
            type(self).handed_over += allowed

    @rule(some=st.lists(phones, min_size=1, max_size=5, unique=True))
    def answers_are_written(self, some: list[str]) -> None:
        self.tick()
        stream = self.stream(TextKind.REPLY, NEWS)
        queue(self.world, stream, some, self.now, body=f"answer {self.count}")
        for one in claim(self.world, self.now, stream):
            person = self.people[one.phone]
            open_until = person.wrote_at + timedelta(days=30) if person.wrote_at else LONG_AGO
            allowed = person.may_be_texted and open_until > self.now
            assert (one.state == State.CLAIMED) == allowed, (one.phone, one.reason, person)
            type(self).handed_over += allowed

    @rule(some=st.lists(phones, min_size=1, max_size=5, unique=True))
    def requests_are_texted(self, some: list[str]) -> None:
        self.tick()
        stream = self.stream(TextKind.OPT_IN_REQUEST, OFFERS)
        queue(self.world, stream, some, self.now, body=f"request {self.count}")
        for one in claim(self.world, self.now, stream):
            person = self.people[one.phone]
            asked = person.asked.get(OFFERS, LONG_AGO) > self.now
            allowed = person.may_be_texted and asked and not person.paused
            assert (one.state == State.CLAIMED) == allowed, (one.phone, one.reason, person)
            type(self).handed_over += allowed

    def stream(self, kind: TextKind, program: int) -> Stream:
        stream = stream_of(self.world, self.now, kind, source=f"s:{self.count}")
        with self.world.scope():
            Stream.objects.filter(id=stream.id).update(program_id=self.programs[program].id)
        return stream

    # What people text --------------------------------------------------------------------------------------------

    def texts(self, phone: str, words: str, at: datetime | None = None) -> Person:
        self.tick()
        self.world.receive(phone, words, at=at or self.now, now=self.now)
        return self.people[phone]

    @rule(phone=phones, word=st.sampled_from(["STOP", "stop all", "Unsubscribe!", "arrêt"]))
    def says_stop(self, phone: str, word: str) -> None:
        self.texts(phone, word).stops(self.now, self.struck)

    @rule(phone=phones, late=st.booleans())
    def says_start(self, phone: str, late: bool) -> None:
        """A late one waited in a queue: a STOP that was said after it stands."""
        at = self.now - timedelta(minutes=30) if late else self.now + timedelta(seconds=1)
        person = self.texts(phone, "START", at)
        if person.stopped_at is None or person.stopped_at <= at:
            person.comes_back(at, self.struck)

    @rule(phone=phones, word=st.sampled_from(["yes", "Y", "OK", "begin"]))
    def says_yes(self, phone: str, word: str) -> None:
        person = self.texts(phone, word)
        waits = person.asked.get(OFFERS, LONG_AGO) > self.now
        if word == "yes":
            person.blocked = False
        if person.cannot_join:
            return
        by_page = word == "yes" and person.stopped_at is not None  # a passing "ok" is no answer to it
        if waits and (OFFERS in person.asked_by_text or by_page):
            del person.asked[OFFERS]
            person.stopped_at, person.wrote_at = None, self.now
            person.said[OFFERS].append(Said(True, self.now, by_person=True))
        elif person.stopped_at is None:
            person.wrote_at = self.now
        elif word == "yes":
            person.comes_back(self.now, self.struck)

    @rule(phone=phones)
    def joins_news_by_its_word(self, phone: str) -> None:
        person = self.texts(phone, "news")
        if person.cannot_join:
            return
        person.stopped_at, person.wrote_at = None, self.now
        person.said[NEWS].append(Said(True, self.now, by_person=True))

    @rule(phone=phones)
    def asks_for_offers_by_their_word(self, phone: str) -> None:
        person = self.texts(phone, "Deals!")
        if person.cannot_join:
            return
        if person.stopped_at is None:
            person.wrote_at = self.now
        if not person.standing(OFFERS, self.struck)[0]:
            self.is_asked(phone, by_text=True)

    def is_asked(self, phone: str, *, by_text: bool) -> None:
        person = self.people[phone]
        person.asked[OFFERS], person.asked_at[OFFERS] = self.now + timedelta(days=7), self.now
        person.asked_by_text.discard(OFFERS)
        if by_text:
            person.asked_by_text.add(OFFERS)
            with self.world.scope():
                waiting = OptInRequest.objects.filter(phone=phone, program=self.programs[OFFERS], state="WAITING")
                assert waiting.update(message_id=1) == 1

    @rule(phone=phones, words=st.sampled_from(["please stop texting me", "wrong number", "take me off your list"]))
    def wishes_to_stop_in_other_words(self, phone: str, words: str) -> None:
        person = self.texts(phone, words)
        if person.stopped_at is None:
            person.wrote_at, person.paused = self.now, True

    @rule(phone=phones, words=st.sampled_from(["When do you open?", "HELP", "keep", "👍"]))
    def writes(self, phone: str, words: str) -> None:
        person = self.texts(phone, words)
        if person.stopped_at is None:
            person.wrote_at = self.now

    # What others do ----------------------------------------------------------------------------------------------

    @rule(some=st.lists(phones, min_size=1, max_size=4, unique=True), program=which, days=st.sampled_from([0, 1, 40]))
    def a_file_is_imported(self, some: list[str], program: int, days: int) -> None:
        self.tick()
        at = self.now - timedelta(days=days)
        with self.world.scope():
            statement = state_import(
                program=self.programs[program],
                medium=Medium.PAPER_FORM,
                agreed_at=at,
                how="on paper",
                actor=ACTOR,
                now=self.now,
            )
            granted = grant_by_import(statement, some, now=self.now)
        those = [phone for phone in some if self.people[phone].stopped_at is None]
        of = [phone for phone in those if not self.people[phone].took_back(program, self.struck)]
        assert granted == Granted(len(of), len(some) - len(those), len(those) - len(of))
        for phone in of:
            self.people[phone].said[program].append(Said(True, at, file=statement.id))
        self.files.append(statement)

    @rule(last=st.booleans())
    def an_import_is_undone(self, last: bool) -> None:
        self.tick()
        if self.files:
            statement = self.files.pop(-1 if last else 0)
            with self.world.scope():
                undo_statement(statement, actor=ACTOR, now=self.now)
                withdraw_records(statement, after_id=0, limit=100, actor=ACTOR, now=self.now)
            self.struck.add(statement.id)

    @rule(phone=phones, program=which, days=st.sampled_from([0, 40]))
    def staff_note_consent(self, phone: str, program: int, days: int) -> None:
        self.tick()
        person, at = self.people[phone], self.now - timedelta(days=days)
        agrees, by_stop, since = person.standing(program, self.struck)
        refused = person.stopped_at is not None or agrees or by_stop or since >= at
        try:
            with self.world.scope(), transaction.atomic():
                noted = Noted("told us at the counter", Medium.PAPER_FORM, at, evidence_id=1)
                note_consent(phone, program_id=self.programs[program].id, noted=noted, actor=ACTOR, now=self.now)
        except OptInRefused:
            assert refused
            return
        assert not refused
        person.said[program].append(Said(True, at))

    @rule(some=st.lists(phones, min_size=3, max_size=5, unique=True), program=which)
    def a_day_at_the_counter(self, some: list[str], program: int) -> None:
        """Many come back and sign: else soon nobody would be left to text."""
        for phone in some:
            self.a_person_decides_what_was_meant(phone, stops=False)
            self.says_start(phone, late=False)
            self.tick()
            self.staff_note_consent(phone, program, days=0)
        self.texts_are_queued_and_given_leave(program, some)

    @rule(phone=phones, program=which)
    def staff_note_a_withdrawal(self, phone: str, program: int) -> None:
        self.tick()
        person, program_id = self.people[phone], self.programs[program].id
        agreed = person.standing(program, self.struck)[0]
        try:
            with self.world.scope(), transaction.atomic():
                note_withdrawal(phone, program_id=program_id, reason="told us", actor=ACTOR, now=self.now)
        except OptInRefused:
            assert not agreed
            return
        assert agreed
        person.said[program].append(Said(False, self.now))

    @rule(phone=phones, by_person=st.booleans())
    def a_double_opt_in_is_asked_for(self, phone: str, by_person: bool) -> None:
        self.tick()
        person = self.people[phone]
        refused = (
            (not by_person and (person.stopped_at is not None or person.standing(OFFERS, self.struck)[1]))
            or person.standing(OFFERS, self.struck)[0]
            or person.asked_at.get(OFFERS, LONG_AGO) > self.now - timedelta(days=30)
        )
        try:
            with self.world.scope(), transaction.atomic():
                open_request(
                    self.programs[OFFERS],
                    phone,
                    sender_number_id=self.world.number.id,
                    medium=Medium.WEB_FORM,
                    basis="on our page",
                    asked_for_at=self.now,
                    actor_label="the form",
                    now=self.now,
                    by_person=by_person,
                )
        except OptInRefused:
            assert refused
            return
        assert not refused
        self.is_asked(phone, by_text=person.stopped_at is None)

    @rule(phone=phones, way=st.sampled_from([opt_out_by_staff, opt_out_by_link, note_carrier_opt_out]))
    def opts_out_another_way(self, phone: str, way: Callable[..., None]) -> None:
        self.tick()
        more: dict[str, object] = {"actor": ACTOR} if way is opt_out_by_staff else {}
        if way is note_carrier_opt_out:
            more = {"sender_number_id": self.world.number.id}
        with self.world.scope():
            way(phone, now=self.now, **more)
        self.people[phone].blocked |= way is note_carrier_opt_out
        self.people[phone].stops(self.now, self.struck)

    @rule(some=st.lists(phones, min_size=1, max_size=3, unique=True), days=st.sampled_from([0, 40]))
    def a_file_of_former_opt_outs_comes(self, some: list[str], days: int) -> None:
        """Who came back since the day that the file names stays back."""
        self.tick()
        at = self.now - timedelta(days=days)
        with self.world.scope():
            came_back = dict(OptOut.objects.filter(phone__in=some).values_list("phone", "lifted_at"))
            opt_out_by_file([Wish(phone, at) for phone in some], actor=ACTOR, now=self.now)
        for phone in some:
            lifted_at = came_back.get(phone)
            if lifted_at is None or lifted_at < at:
                self.people[phone].stops(at, self.struck)

    @rule(phone=phones, stops=st.booleans())
    def a_person_decides_what_was_meant(self, phone: str, stops: bool) -> None:
        self.tick()
        with self.world.scope():
            resolve_possible_opt_out(phone, stops=stops, actor=ACTOR, now=self.now)
        self.people[phone].paused = False
        if stops:
            self.people[phone].stops(self.now, self.struck)

    # What must always be true ------------------------------------------------------------------------------------

    @invariant()
    def the_product_knows_what_the_paper_says(self) -> None:
        if not hasattr(self, "people"):
            return
        self.steps += 1
        if self.steps % 25 == 0:
            # Hypothesis leaves some rules out of a sequence: without these, nobody would be left to text in some.
            self.a_day_at_the_counter(PHONES, (self.steps // 25) % 2)
        with self.world.scope():
            stopped = opted_out_among(PHONES)
            granted = set(
                ConsentState.objects.filter(phone__in=PHONES, granted=True)
                .exclude(program_id=CONVERSATIONAL)
                .values_list("phone", "program_id")
            )
        assert stopped == {phone for phone, person in self.people.items() if person.stopped_at is not None}
        assert granted == {
            (phone, self.programs[program].id)
            for phone, person in self.people.items()
            for program in person.said
            if person.standing(program, self.struck)[0]
        }

    def teardown(self) -> None:
        if hasattr(self, "people"):
            self.sequences.append(self.steps - 1)  # the first time is before any step
            with self.world.scope():
                assert [str(one) for one in differences()] == [], "and what the ledger comes to"


@pytest.mark.machine
@pytest.mark.parametrize("examples", [EXAMPLES, pytest.param(20, marks=pytest.mark.slow)])
def test_nobody_is_ever_texted_without_valid_consent(db: None, monkeypatch: pytest.MonkeyPatch, examples: int) -> None:
    # Hypothesis ends a sequence once it has drawn so many bytes, which is after some 350 steps.
    for module in ("hypothesis.internal.conjecture.engine", "hypothesis.stateful"):
        monkeypatch.setattr(f"{module}.BUFFER_SIZE", 256 * 1024)
    Consent.handed_over, Consent.sequences = 0, []
    run_state_machine_as_test(
        Consent,
        settings=settings(
            # The first one is the simplest that there is, and a few are too short.
            max_examples=examples + 1 + examples // 5,
            stateful_step_count=STEPS + 1,  # `begin` is one
            deadline=None,
            phases=[Phase.generate],
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert len([steps for steps in Consent.sequences if steps >= STEPS]) >= examples, Consent.sequences
    assert Consent.handed_over > 20 * examples, "many texts were given leave"
