"""The claim gives leave by the table of checks, once, in turn; settling moves forward and counts once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, transaction

from billing.actions import close_reservation, reserve
from billing.models import Reservation
from common.sql import fetch_all, run
from common.tenancy import across_organizations
from consent.actions import open_request, opt_out, resolve_possible_opt_out
from consent.models import ConsentState, OptInRequest, OptOut, Program
from consent.rules.media import Medium
from content.rules.segments import measure
from messaging.actions.claims import Claim, Want, claim_due
from messaging.actions.counters import Drift, recount, squash_counters
from messaging.actions.outcomes import Outcome, record_outcomes
from messaging.actions.queueing import Draft, queue_compliance_reply, queue_messages
from messaging.actions.settling import Settlement, settle
from messaging.actions.streams import Hours, open_stream
from messaging.gateways.base import Answer, Handover
from messaging.models import Message, OutcomeCount, RecentText, Stream, StreamState
from messaging.queries import due_streams, outcome_counts
from messaging.rules.digests import digest_of
from messaging.rules.kinds import TextKind
from messaging.rules.states import State
from senders.actions import set_number_status
from senders.models import NumberStatus
from tests.world import ACTOR, World, build_world

PHONES = [f"+1256734{number:04}" for number in range(6000, 6020)]


def stream_of(
    world: World, now: datetime, kind: TextKind = TextKind.CAMPAIGN, source: str = "s:1", **hours: datetime
) -> Stream:
    with world.scope():
        reservation = reserve(credits=500, reference=source, actor=ACTOR, now=now)
        return open_stream(
            number=world.number,
            kind=kind,
            source=source,
            program_id=world.program.id,
            reservation_id=reservation.id,
            hours=Hours(**hours),
            now=now,
        )


def queue(world: World, stream: Stream, phones: Sequence[str], now: datetime, body: str = "Hello") -> None:
    measured = measure(body)
    drafts = [
        Draft(phone, body, measured.encoding, measured.segments, measured.segments, digest_of(body)) for phone in phones
    ]
    with world.scope():
        queue_messages(stream, drafts, carrier_account_id=world.number.carrier_account_id, now=now)


def claim(world: World, now: datetime, *streams: Stream, segments: int = 100, after: int = 0) -> list[Claim]:
    with across_organizations(because="as the dispatcher does"):
        wants = [Want(stream.id, world.number.id, after, segments) for stream in streams]
        return claim_due(wants, claim_id=uuid4(), now=now)


def reasons(claims: Sequence[Claim]) -> list[str]:
    return [claim.reason for claim in claims]


def test_what_is_in_order_is_claimed_once(world: World, now: datetime) -> None:
    world.consent(*PHONES[:3])
    stream = stream_of(world, now)
    queue(world, stream, PHONES[:3], now)
    assert [(item.phone, item.state) for item in claim(world, now, stream)] == [
        (phone, "CLAIMED") for phone in PHONES[:3]
    ]
    assert claim(world, now, stream) == []


def ask(world: World, phone: str, now: datetime) -> None:
    """A request for a double opt-in waits for this phone."""
    open_request(
        world.program,
        phone,
        sender_number_id=world.number.id,
        medium=Medium.WEB_FORM,
        basis="asked at the counter",
        asked_for_at=now,
        actor_label="x",
        now=now,
    )


@pytest.mark.parametrize(
    ("kind", "opted_out", "no_consent", "no_conversation", "closed_reservation"),
    [
        (TextKind.CAMPAIGN, "opted_out", "no_consent", "", "no_credit"),
        (TextKind.REPLY, "opted_out", "", "conversation_over", "no_credit"),
        (TextKind.COMPLIANCE, "", "", "", ""),
        (TextKind.OPT_IN_REQUEST, "opted_out", "not_asked", "not_asked", "no_credit"),
        (TextKind.AUTOMATIC, "opted_out", "", "conversation_over", "no_credit"),
        (TextKind.TEST, "opted_out", "", "", "no_credit"),
    ],
)
def test_the_checks_of_each_kind(
    world: World,
    now: datetime,
    kind: TextKind,
    opted_out: str,
    no_consent: str,
    no_conversation: str,
    closed_reservation: str,
) -> None:
    stopped, stranger, silent, broke = PHONES[:4]
    world.consent(silent, broke)
    with world.scope():
        for phone in (stranger, broke):
            ConsentState.objects.create(
                organization=world.organization, phone=phone, program_id=0, granted=True, changed_at=now
            )
        ConsentState.objects.create(
            organization=world.organization,
            phone=silent,
            program_id=0,
            granted=True,
            changed_at=now - timedelta(days=30),  # the window is 30 days after the last inbound text
        )
        opt_out(stopped, source=OptOut.Source.STAFF, actor_label="x", now=now, medium="STAFF")
        ConsentState.objects.filter(phone=broke, program_id=world.program.id).update(granted=False)
        ask(world, broke, now)
        ConsentState.objects.filter(phone=broke, program_id=world.program.id).update(granted=True)
    open_one, poor = stream_of(world, now, kind), stream_of(world, now, kind, source="s:2")
    queue(world, open_one, [stopped, stranger, silent], now)
    assert reasons(claim(world, now, open_one)) == [opted_out, no_consent, no_conversation]
    queue(world, poor, [broke], now, body="Other words")
    with world.scope():
        close_reservation(Reservation.objects.get(reference="s:2").id, now=now)
    assert reasons(claim(world, now, poor)) == [closed_reservation]


@pytest.mark.parametrize(
    ("hours", "after", "claimed"),
    [
        ({}, 0, 1),
        ({"open_from": 10}, 9, 0),
        ({"open_from": 10}, 10, 1),
        ({"open_until": 10}, 9, 1),
        ({"open_until": 10}, 10, 0),  # the end is not within
        ({"ends_at": 10}, 10, 0),
    ],
)
def test_hours_are_the_streams_instants(
    world: World, now: datetime, hours: dict[str, int], after: int, claimed: int
) -> None:
    world.consent(PHONES[0])
    instants: dict[str, Any] = {name: now + timedelta(minutes=value) for name, value in hours.items()}
    stream = stream_of(world, now, **instants)
    queue(world, stream, PHONES[:1], now)
    moment = now + timedelta(minutes=after)
    assert len(claim(world, moment, stream)) == claimed
    with across_organizations(because="as the dispatcher does"):
        assert due_streams([world.number.lane], cursors={}, now=moment) == []


@pytest.mark.parametrize("state", [StreamState.PAUSED, StreamState.CLOSED])
def test_a_stream_that_is_not_open_gives_nothing(world: World, now: datetime, state: StreamState) -> None:
    world.consent(PHONES[0])
    stream = stream_of(world, now)
    queue(world, stream, PHONES[:1], now)
    with world.scope():
        Stream.objects.update(state=state)
    assert claim(world, now, stream) == []


@pytest.mark.parametrize("status", [status for status in NumberStatus if status != NumberStatus.REGISTERED])
def test_a_number_that_is_not_registered_gives_nothing_whatever_the_kind(
    world: World, now: datetime, status: NumberStatus
) -> None:
    with world.scope():
        queue_compliance_reply(world.number, phone=PHONES[0], body="Bye", reply_key="a", now=now)
        set_number_status(world.number.id, status=status, actor=ACTOR, now=now)
        stream = Stream.objects.get()
    assert claim(world, now, stream) == []


def test_a_welcome_that_waited_goes_to_nobody_who_has_said_stop_since(world: World, now: datetime) -> None:
    for place, kind in enumerate(("STARTED", "JOINED", "HELP", "STOPPED", "ASKED")):
        with world.scope():
            queue_compliance_reply(world.number, phone=PHONES[0], body=kind, reply_key=f"S{place}:{kind}", now=now)
    with world.scope():
        ask(world, PHONES[0], now)
        OptInRequest.objects.update(message_id=Message.objects.get(reply_key="S4:ASKED").id)
        opt_out(PHONES[0], source=OptOut.Source.KEYWORD, actor_label="x", now=now, medium="INBOUND_TEXT")
        stream = Stream.objects.get()
    found = {one.body: one.reason for one in claim(world, now + timedelta(minutes=1), stream)}
    assert found == {"STARTED": "opted_out", "JOINED": "opted_out", "HELP": "", "STOPPED": "", "ASKED": "not_asked"}


def test_the_same_text_goes_to_a_person_once_within_the_window(world: World, now: datetime) -> None:
    world.consent(PHONES[0])
    for number, minutes, reason in ((1, 0, ""), (2, 60, "duplicate"), (3, 12 * 60 - 1, "duplicate"), (4, 12 * 60, "")):
        stream = stream_of(world, now, source=f"s:{number}")
        queue(world, stream, PHONES[:1], now)
        assert reasons(claim(world, now + timedelta(minutes=minutes), stream)) == [reason], number


def test_two_of_the_same_text_in_one_claim_are_one(world: World, now: datetime) -> None:
    world.consent(PHONES[0])
    stream = stream_of(world, now)
    queue(world, stream, [PHONES[0], PHONES[0]], now)
    assert sorted(reasons(claim(world, now, stream))) == ["", "duplicate"]


def test_staff_can_switch_the_duplicate_window_off(world: World, now: datetime) -> None:
    world.consent(PHONES[0])
    with world.scope():
        world.organization.duplicate_window_hours = 0
        world.organization.save()
    stream = stream_of(world, now)
    queue(world, stream, [PHONES[0], PHONES[0]], now)
    assert reasons(claim(world, now, stream)) == ["", ""]


def test_a_refused_message_frees_its_place_in_the_window(world: World, now: datetime) -> None:
    world.consent(PHONES[0])
    stream = stream_of(world, now)
    queue(world, stream, PHONES[:1], now)
    (first,) = claim(world, now, stream)
    with across_organizations(because="as the dispatcher does"):
        settle([Settlement(first.message_id, State.FAILED, error_code=21611)], now=now)
        assert not RecentText.objects.filter(message_id=first.message_id).exists()


def test_a_message_that_was_given_back_is_not_its_own_duplicate(world: World, now: datetime) -> None:
    world.consent(PHONES[0])
    stream = stream_of(world, now)
    queue(world, stream, PHONES[:1], now)
    (first,) = claim(world, now, stream)
    with across_organizations(because="as the dispatcher does"):
        settle([Settlement(first.message_id, State.QUEUED, claim_id=world.messages()[0].claim_id)], now=now)
        assert not RecentText.objects.filter(message_id=first.message_id).exists()
    assert reasons(claim(world, now, stream)) == [""]


def test_replies_go_first_and_equal_streams_take_turns(world: World, now: datetime) -> None:
    world.consent(*PHONES)
    bulk, other = stream_of(world, now, source="s:1"), stream_of(world, now, source="s:2")
    urgent = stream_of(world, now, TextKind.COMPLIANCE, source="s:3")
    queue(world, bulk, PHONES[:4], now, body="A")
    queue(world, other, PHONES[:4], now, body="B")
    queue(world, urgent, PHONES[4:5], now, body="C")
    claims = claim(world, now, bulk, other, urgent, segments=4)
    assert [item.body for item in claims] == ["C", "A", "B", "A"]


def test_a_claim_is_measured_in_segments(world: World, now: datetime) -> None:
    world.consent(*PHONES)
    stream = stream_of(world, now)
    queue(world, stream, PHONES[:5], now, body="x" * 200)
    assert len(claim(world, now, stream, segments=3)) == 2, "the second begins within the third slot"
    assert len(claim(world, now, stream, segments=1)) == 1, "one always"


def test_one_of_a_limited_stream_goes_beside_a_busy_one(world: World, now: datetime) -> None:
    world.consent(*PHONES)
    busy, limited = stream_of(world, now, source="s:1"), stream_of(world, now, source="s:2")
    queue(world, busy, PHONES[:4], now, body="A")
    queue(world, limited, PHONES[:4], now, body="B")
    with across_organizations(because="as the dispatcher does"):
        wants = [
            Want(busy.id, busy.sender_number_id, 0, 3),
            Want(limited.id, limited.sender_number_id, 0, 3, at_most=1),
        ]
        assert [item.body for item in claim_due(wants, claim_id=uuid4(), now=now)] == ["A", "B", "A"]


def captured(world: World) -> int:
    with world.scope():
        return Reservation.objects.get().captured


def test_receipts_move_forward_in_any_order_and_count_once(world: World, now: datetime) -> None:
    world.consent(PHONES[0])
    stream = stream_of(world, now)
    queue(world, stream, PHONES[:1], now)
    (item,) = claim(world, now, stream)
    news = [
        Settlement(item.message_id, State.DELIVERED, sid="SM1"),  # before our own record of the send
        Settlement(item.message_id, State.SENT, sid="SM1"),
        Settlement(item.message_id, State.ACCEPTED, sid="SM1"),
        Settlement(item.message_id, State.DELIVERED, sid="SM1"),
        Settlement(item.message_id, State.QUEUED),
    ]
    for one in news:
        with across_organizations(because="as the consumer does"):
            settle([one], now=now)
    (message,) = world.messages()
    assert (message.state, message.sid, captured(world)) == ("DELIVERED", "SM1", 1)


def test_a_recount_finds_the_counter_that_is_wrong(world: World, now: datetime) -> None:
    world.consent(*PHONES)
    stream = stream_of(world, now)
    queue(world, stream, PHONES[:5], now)
    claims = claim(world, now, stream, segments=3)
    with across_organizations(because="as the clock does"):
        settle([Settlement(claims[0].message_id, State.ACCEPTED, sid="SM1")], now=now)
        assert recount(since=now) == []
        squash_counters(now=now)
        settle([Settlement(claims[1].message_id, State.FAILED, error_code=30003)], now=now)
        assert recount(since=now) == []
        OutcomeCount.objects.filter(state="ACCEPTED").update(messages=7)
        assert recount(since=now) == [Drift(stream.id, "ACCEPTED", counted=7, messages=1)]


def test_an_overtaken_sender_gives_nothing_back(world: World, now: datetime) -> None:
    """A process frozen past its deadline wakes and reports "not written" for a claim that is another's by now."""
    world.consent(PHONES[0])
    stream = stream_of(world, now)
    queue(world, stream, PHONES[:1], now)
    (item,) = claim(world, now, stream)
    with across_organizations(because="as the dispatcher does"):
        assert settle([Settlement(item.message_id, State.QUEUED, claim_id=uuid4())], now=now) == []
        assert settle([Settlement(item.message_id, State.QUEUED)], now=now) == []
    assert world.messages()[0].state == "CLAIMED"


def test_a_sender_that_slept_past_the_sweep_says_that_nothing_was_written(world: World, now: datetime) -> None:
    world.consent(PHONES[0])
    stream = stream_of(world, now)
    queue(world, stream, PHONES[:1], now)
    (item,) = claim(world, now, stream)
    claim_id = world.messages()[0].claim_id
    with across_organizations(because="as sweep and dispatcher do"):
        settle([Settlement(item.message_id, State.UNKNOWN)], now=now)
        settle([Settlement(item.message_id, State.QUEUED, claim_id=claim_id)], now=now)
    assert reasons(claim(world, now, stream)) == [""]


def test_proof_after_giving_up_moves_forward_at_the_platforms_cost(world: World, now: datetime) -> None:
    world.consent(PHONES[0])
    stream = stream_of(world, now)
    queue(world, stream, PHONES[:1], now)
    (item,) = claim(world, now, stream)
    for state in (State.UNKNOWN, State.UNCONFIRMED, State.DELIVERED):
        with across_organizations(because="as the sweep does"):
            settle([Settlement(item.message_id, state)], now=now)
    assert world.messages()[0].state == "DELIVERED"
    assert captured(world) == 0


@pytest.mark.parametrize(
    ("handover", "state", "reason"),
    [
        (Handover(Answer.ACCEPTED, sid="SM1"), "ACCEPTED", ""),
        (Handover(Answer.NOT_PROCESSED, error_code=20429), "QUEUED", ""),
        (Handover(Answer.NOT_WRITTEN), "QUEUED", ""),
        (Handover(Answer.NO_CONNECTION), "QUEUED", ""),
        (Handover(Answer.UNKNOWN), "UNKNOWN", ""),
        (Handover(Answer.REFUSED, error_code=21611), "QUEUED", ""),  # the carrier's queue is full: later
        (Handover(Answer.REFUSED, error_code=21211), "FAILED", "permanent"),
        (Handover(Answer.REFUSED, error_code=21610), "FAILED", "opt_out"),
        (Handover(Answer.REFUSED, error_code=99999), "FAILED", "unknown"),
    ],
)
def test_outcomes(world: World, now: datetime, handover: Handover, state: str, reason: str) -> None:
    world.consent(PHONES[0])
    stream = stream_of(world, now)
    queue(world, stream, PHONES[:1], now)
    claim_id = uuid4()
    with across_organizations(because="as the dispatcher does"):
        (item,) = claim_due([Want(stream.id, world.number.id, 0, 5)], claim_id=claim_id, now=now)
        for _ in range(2):  # a batch that is written again changes nothing
            record_outcomes([Outcome(item, claim_id, handover, "TWILIO")], now=now)
    (message,) = world.messages()
    assert (message.state, message.reason) == (state, reason)
    assert captured(world) == (1 if state == "ACCEPTED" else 0)
    with world.scope():
        assert OptOut.objects.filter(phone=PHONES[0]).exists() == (handover.error_code == 21610)


def test_counters_are_exact_before_and_after_squashing(world: World, now: datetime) -> None:
    world.consent(*PHONES[:5])
    stream = stream_of(world, now)
    queue(world, stream, PHONES[:7], now)
    claims = claim(world, now, stream)
    with across_organizations(because="as the dispatcher does"):
        settle(
            [Settlement(claims[0].message_id, State.DELIVERED), Settlement(claims[1].message_id, State.UNKNOWN)],
            now=now,
        )

    def counts() -> dict[State, int]:
        with world.scope():
            return {state: part.messages for state, part in outcome_counts("s:1").items()}

    expected = {State.QUEUED: 3, State.SKIPPED: 2, State.DELIVERED: 1, State.UNKNOWN: 1}
    assert counts() == expected
    with across_organizations(because="as the job does"):
        squash_counters(now=now)
    assert counts() == expected
    with world.scope():
        rows = fetch_all("SELECT replace(state, 'CLAIMED', 'QUEUED'), count(*) FROM messaging_message GROUP BY 1")
    assert dict(rows) == expected


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("UPDATE messaging_message SET state = 'ACCEPTED'", "handed_over_is_captured"),
        ("UPDATE messaging_message SET state = 'LOST'", "message_state_known"),
        ("UPDATE messaging_message SET segments = 0", "message_has_a_segment"),
        ("UPDATE messaging_message SET campaign_id = 7, phone = '+12567346000'", "texted_once"),
        ("UPDATE messaging_message SET sid = 'SM1'", "sid_once_at_carrier"),
        ("UPDATE messaging_message SET reply_key = 'SM1:STOPPED'", "reply_once"),
        ("UPDATE messaging_stream SET open_from = now(), open_until = now() - interval '1 h'", "window_opens"),
    ],
)
def test_the_database_refuses_what_must_never_be(world: World, now: datetime, change: str, constraint: str) -> None:
    stream = stream_of(world, now)
    queue(world, stream, PHONES[:2], now)
    with world.scope(), pytest.raises(DatabaseError, match=constraint), transaction.atomic():
        run(change)


def test_two_dispatchers_never_claim_the_same_message(committed_world: World, now: datetime) -> None:
    import threading

    from django.db import connection

    world = committed_world
    phones = [f"+1205{number:07}" for number in range(2_000_000, 2_000_400)]
    world.consent(*phones)
    stream = stream_of(world, now)
    queue(world, stream, phones, now)
    found: list[int] = []

    def serve() -> None:
        while claims := claim(world, now, stream, segments=7):
            found.extend(item.message_id for item in claims)
        connection.close()

    threads = [threading.Thread(target=serve) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(set(found)) == 400
    with world.scope():
        assert Message.objects.filter(state="CLAIMED").count() == 400


def test_two_tenants_do_not_share_a_duplicate_window(world: World, now: datetime) -> None:
    other = build_world(now)
    for tenant in (world, other):
        tenant.consent(PHONES[0])
        stream = stream_of(tenant, now)
        queue(tenant, stream, PHONES[:1], now)
        assert reasons(claim(tenant, now, stream)) == [""]


def test_who_may_want_to_stop_waits_for_a_person(world: World, now: datetime) -> None:
    world.consent(PHONES[0], PHONES[1])
    for phone in PHONES[:2]:
        world.receive(phone, "please stop texting me", at=now)
    first, second = stream_of(world, now), stream_of(world, now, source="s:2")
    queue(world, first, [PHONES[0]], now)
    assert reasons(claim(world, now, first)) == ["maybe_stop"]
    with world.scope():
        resolve_possible_opt_out(PHONES[0], stops=False, actor=ACTOR, now=now)
        resolve_possible_opt_out(PHONES[1], stops=True, actor=ACTOR, now=now)
    queue(world, second, PHONES[:2], now)
    assert reasons(claim(world, now, second)) == ["", "opted_out"]


def test_a_cap_counts_what_is_under_way_and_what_goes_in_the_same_claim(world: World, now: datetime) -> None:
    world.consent(PHONES[0], PHONES[1])
    with world.scope():
        Program.objects.update(monthly_cap=1)
    first, second, third = (stream_of(world, now, source=f"s:{turn}") for turn in range(3))
    queue(world, first, [PHONES[0]], now, body="one")
    queue(world, second, PHONES[:2], now, body="two")
    with across_organizations(because="as the dispatcher does"):
        wants = [Want(stream.id, world.number.id, 0, 10) for stream in (first, second)]
        claims = claim_due(wants, claim_id=uuid4(), now=now)
    assert sorted((one.phone, one.reason) for one in claims) == [
        (PHONES[0], ""),
        (PHONES[0], "often_enough"),
        (PHONES[1], ""),
    ]
    queue(world, third, PHONES[:2], now, body="three")
    assert reasons(claim(world, now, third)) == ["often_enough", "often_enough"]


def test_a_cap_of_a_program_counts_what_was_handed_over_in_thirty_days(world: World, now: datetime) -> None:
    world.consent(PHONES[0])
    with world.scope():
        Program.objects.update(monthly_cap=1)
    for turn, (day, reason) in enumerate([(0, ""), (1, "often_enough"), (31, "")]):
        at = now + timedelta(days=day)
        stream = stream_of(world, at, source=f"s:{turn}")
        queue(world, stream, [PHONES[0]], at, body=f"text {turn}")
        (row,) = claim(world, at, stream)
        assert row.reason == reason
        if not reason:
            with across_organizations(because="as the dispatcher does"):
                settle([Settlement(row.message_id, State.ACCEPTED, sid=f"SM{turn}")], now=at)
