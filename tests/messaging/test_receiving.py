"""Callbacks: verified, appended, applied; in any order, as often as they like to come."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from accounts.models import Notice, Organization
from carriersim.callbacks import sign
from common.tenancy import across_organizations
from consent.actions import remember_stop_word
from consent.actions.opt_outs import note_block
from consent.models import (
    CarrierBlock,
    CarrierDifference,
    ConsentRecord,
    ConsentState,
    OptInRequest,
    OptOut,
    Program,
    ProgramKeyword,
)
from consent.queries import is_opted_out
from contacts.models import ContactPhone
from events.models import Event
from messaging.actions import sweeping
from messaging.actions.receiving import (
    Received,
    append_inbound,
    append_receipts,
    apply_inbound,
    apply_receipts,
    obey_stops,
)
from messaging.actions.settling import Settlement, settle
from messaging.actions.witness import (
    asked_since,
    hold_against_ours,
    note_heard,
    obey_missed,
    stop_blocked,
    tell_differences,
)
from messaging.gateways.base import CarrierMessage
from messaging.gateways.twilio.callbacks import signature_fits
from messaging.models import CarrierEvent, CarrierInbound, DeliveryEvent, InboundText, Message, Stream
from messaging.queries.progress import last_program, may_have_reached
from messaging.rules.states import State
from messaging.webhooks import CarrierEndpoint
from tests.messaging.test_claims import PHONES, captured, claim, queue, stream_of
from tests.world import World, build_world

SID = "AC" + "5" * 32


@pytest.mark.parametrize(
    ("caller", "signature"),
    [("+14158675309", "RSOYDt4T1cUTdK1PDd93/VVr8B8="), ("+12349013030", "0/KCTR6DLpKmkAf8muzZqo1nDgQ=")],
)
def test_signature_vectors(caller: str, signature: str) -> None:
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    form = {"CallSid": "CA1234567890ABCDE", "Caller": caller, "Digits": "1234", "To": "+18005551212"}
    if caller == "+14158675309":
        form["From"] = caller
    else:
        form["From"] = caller
    assert sign("12345", url, form) == signature
    assert signature_fits(auth_token="12345", url=url, form=form, signature=signature)
    assert not signature_fits(auth_token="12346", url=url, form=form, signature=signature)


@pytest.fixture
def claimed(world: World, now: datetime) -> Message:
    world.consent(PHONES[0])
    stream = stream_of(world, now)
    queue(world, stream, PHONES[:1], now)
    claim(world, now, stream)
    return world.messages()[0]


def receipt(message: Message, status: str, code: str = "") -> Received:
    form = {"AccountSid": SID, "MessageSid": f"SM{message.id}", "MessageStatus": status}
    return Received(SID, message.id, form | ({"ErrorCode": code} if code else {}))


def receive(now: datetime, *receipts: Received) -> None:
    with across_organizations(because="as endpoint and consumer do"):
        append_receipts(receipts, now=now)
        while apply_receipts(now=now):
            pass


@pytest.mark.parametrize(
    ("statuses", "state"),
    [
        (["sent", "delivered"], "DELIVERED"),
        (["delivered", "sent"], "DELIVERED"),
        (["sent", "sent", "delivered", "delivered"], "DELIVERED"),
        (["delivered"], "DELIVERED"),
        (["undelivered"], "UNDELIVERED"),
        (["failed"], "UNDELIVERED"),
        (["something new"], "CLAIMED"),
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_receipts(
    world: World, now: datetime, claimed: Message, statuses: list[str], state: str, together: bool
) -> None:
    receipts = [receipt(claimed, status) for status in statuses]
    for batch in [receipts] if together else [[one] for one in receipts]:
        receive(now, *batch)
    (message,) = world.messages()
    assert message.state == state
    assert captured(world) == (0 if state == "CLAIMED" else 1)
    with across_organizations(because="nothing waits any more"):
        assert not CarrierEvent.objects.exists()
    with world.scope():
        assert DeliveryEvent.objects.count() == len(set(statuses))


def test_error_codes_of_receipts_are_followed(world: World, now: datetime, claimed: Message) -> None:
    world.add_contact(PHONES[0], consent=False)
    receive(now, receipt(claimed, "undelivered", "30005"))
    with world.scope():
        assert not ContactPhone.objects.get(phone=PHONES[0]).textable


def test_an_opt_out_told_in_a_receipt_becomes_ours(world: World, now: datetime, claimed: Message) -> None:
    receive(now, receipt(claimed, "failed", "30630"))
    with world.scope():
        assert OptOut.objects.get(phone=PHONES[0]).source == "CARRIER"


def test_another_account_cannot_move_our_messages(world: World, now: datetime, claimed: Message) -> None:
    """An organization with an account of its own knows a token: what it signs counts for that account alone."""
    forged = receipt(claimed, "delivered")
    receive(now, Received("AC" + "6" * 32, forged.message_id, forged.form))
    assert world.messages()[0].state == "CLAIMED"


def test_a_receipt_that_contradicts_what_we_know_holds_up_nobody(world: World, now: datetime) -> None:
    world.consent(*PHONES[:2])
    stream = stream_of(world, now)
    queue(world, stream, PHONES[:2], now)
    claim(world, now, stream)
    first, second = world.messages()
    same_sid = [Received(SID, one.id, receipt(first, "delivered").form) for one in (first, second)]
    receive(now, *same_sid, receipt(second, "sent", "not a number"))
    assert [message.state for message in world.messages()] == ["DELIVERED", "SENT"]


def inbound(world: World, body: str, sid: str = "SMin1", phone: str = PHONES[0]) -> Received:
    form = {"AccountSid": SID, "MessageSid": sid, "From": phone, "To": world.number.sender, "Body": body}
    return Received(SID, None, form)


def hear(now: datetime, *texts: Received) -> None:
    with across_organizations(because="as endpoint and consumer do"):
        append_inbound(texts, now=now)
    obey(now)
    with across_organizations(because="as the consumer does"):
        apply_inbound(now=now)


def obey(now: datetime) -> None:
    with across_organizations(because="as the consumer does"):
        obey_stops(now=now)


def test_a_stop_stops_is_answered_once_and_reaches_the_conversation(world: World, now: datetime) -> None:
    hear(now, inbound(world, "STOP"), inbound(world, "STOP"))
    hear(now, inbound(world, "STOP"))
    with world.scope():
        assert is_opted_out(PHONES[0])
        assert InboundText.objects.count() == 1
        assert Event.objects.filter(kind="text.received").count() == 1
    (reply,) = world.messages()
    assert "unsubscribed" in reply.body
    assert (reply.credits, reply.phone) == (0, PHONES[0])


def test_everybody_who_says_stop_is_left_alone_before_the_first_is_answered(world: World, now: datetime) -> None:
    people = [f"+1256734{6000 + number}" for number in range(40)]
    world.consent(*people)
    texts = [inbound(world, "stop", f"SM{number}", phone) for number, phone in enumerate(people)]
    with across_organizations(because="as the endpoint does"):
        append_inbound([*texts, inbound(world, "STOP", "SMagain", people[0])], now=now)
    obey(now + timedelta(seconds=1))
    with world.scope():
        assert OptOut.objects.filter(lifted_at=None, opted_out_at=now).count() == 40
        assert ConsentRecord.objects.filter(action="WITHDRAW", occurred_at=now).count() == 40
        assert not InboundText.objects.exists()
    for _ in range(10):
        hear(now + timedelta(seconds=2))
    assert len(world.messages()) == 40, "each answered once"
    with world.scope():
        assert Event.objects.filter(kind="opt_out.created").count() == 40
        assert ConsentRecord.objects.filter(action="WITHDRAW").count() == 40
        assert InboundText.objects.filter(received_at=now).count() == 41


def test_an_old_stop_that_the_carrier_repeats_does_not_undo_a_start(world: World, now: datetime) -> None:
    hear(now, inbound(world, "STOP", "SM1"))
    hear(now, inbound(world, "START", "SM2"))
    hear(now, inbound(world, "STOP", "SM1"))
    with world.scope():
        assert not is_opted_out(PHONES[0])


def test_a_word_that_only_the_carrier_takes_for_stop_stops_here_too(world: World, now: datetime) -> None:
    told = inbound(world, "FINI")
    hear(now, replace(told, form=told.form | {"OptOutType": "STOP"}))
    with world.scope():
        assert is_opted_out(PHONES[0])
        assert not Message.objects.filter(reply_key__isnull=False).exists(), "the carrier has answered"


def test_a_word_that_stops_at_another_number_stops_nobody_here(world: World, now: datetime) -> None:
    other = build_world(now)
    with other.scope():
        remember_stop_word(sender_number_id=other.number.id, word="basta ya", now=now)
    hear(now, inbound(world, "Basta ya"))
    with world.scope():
        assert not is_opted_out(PHONES[0])
        assert InboundText.objects.count() == 1


def test_who_says_stop_goes_before_what_others_wrote_and_after_what_they_wrote_before(
    world: World, now: datetime
) -> None:
    with world.scope():
        remember_stop_word(sender_number_id=world.number.id, word="basta ya", now=now)
    others = [inbound(world, "Yes", f"SMo{number}", f"+1256734{7000 + number}") for number in range(60)]
    stops = [("SMa", PHONES[0], "START"), ("SMb", PHONES[0], "Stop!"), ("SMc", PHONES[1], "Basta ya")]
    hear(now, *others, *(inbound(world, body, sid, phone) for sid, phone, body in stops))
    with world.scope():
        assert is_opted_out(PHONES[0]), "the START that came before was obeyed before"
        assert is_opted_out(PHONES[1]), "a campaign's own word is one as well"
        assert InboundText.objects.count() == 3
    for _ in range(10):
        hear(now)
    with world.scope():
        assert InboundText.objects.count() == 63


def test_a_text_from_no_phone_holds_up_nobodys_stop(world: World, now: datetime) -> None:
    strange = inbound(world, "STOP", "SMx").form | {"From": "channel:+12567346043-and-more"}
    nameless = {name: value for name, value in inbound(world, "STOP").form.items() if name != "MessageSid"}
    hear(now, Received(SID, None, strange), Received(SID, None, nameless), inbound(world, "STOP", "SMy"))
    with world.scope():
        assert is_opted_out(PHONES[0])
        assert list(InboundText.objects.values_list("sid", flat=True)) == ["SMy"]


def test_a_text_to_a_number_that_is_nobodys_is_dropped(world: World, now: datetime) -> None:
    hear(now, Received(SID, None, {"MessageSid": "x", "From": PHONES[0], "To": "+15550001111", "Body": "STOP"}))
    with across_organizations(because="nothing waits any more"):
        assert not CarrierInbound.objects.exists()


def test_lost_claims_become_unknown_and_are_looked_up_never_sent_again(
    world: World, now: datetime, claimed: Message
) -> None:
    with across_organizations(because="as the sweep does"):
        assert sweeping.find_lost_claims(older_than=timedelta(seconds=40), now=now + timedelta(seconds=40)) == 0
        assert sweeping.find_lost_claims(older_than=timedelta(seconds=40), now=now + timedelta(seconds=41)) == 1
        (doubt,) = sweeping.doubtful_messages()
    others = [
        CarrierMessage("SM1", world.number.sender, PHONES[0], "Other words", State.SENT, None, now),
        CarrierMessage("SM2", world.number.sender, PHONES[0], "Hello", State.SENT, None, now - timedelta(hours=1)),
        CarrierMessage("SM4", world.number.sender, PHONES[0], "Hello", State.SENT, None, now + timedelta(hours=1)),
    ]
    # A second before the claim by the carrier's clock, which is another machine's.
    mine = CarrierMessage(
        "SM3", world.number.sender, PHONES[0], "Hello", State.DELIVERED, None, now - timedelta(seconds=1)
    )
    with across_organizations(because="as the sweep does"):
        assert sweeping.matching(doubt, others[:2]) is None
        found = sweeping.matching(doubt, [*others, mine])
        assert found is mine
        sweeping.settle_found([(doubt, mine)], now=now)
    (message,) = world.messages()
    assert (message.state, message.sid, captured(world)) == ("DELIVERED", "SM3", 1)


def test_what_the_carrier_never_heard_of_is_unconfirmed_and_not_charged(
    world: World, now: datetime, claimed: Message
) -> None:
    with across_organizations(because="as the sweep does"):
        sweeping.find_lost_claims(older_than=timedelta(0), now=now + timedelta(seconds=1))
        sweeping.give_up(sweeping.doubtful_messages(), now=now)
    assert world.messages()[0].state == "UNCONFIRMED"
    assert captured(world) == 0


def test_a_receipt_that_never_comes_ends_as_such_and_a_late_one_still_counts(
    world: World, now: datetime, claimed: Message
) -> None:
    with across_organizations(because="as the dispatcher does"):
        settle([Settlement(claimed.id, State.ACCEPTED, sid="SM1")], now=now)
        assert sweeping.close_without_receipt(older_than=timedelta(hours=72), now=now + timedelta(hours=73)) == 1
    assert world.messages()[0].state == "NO_RECEIPT"
    receive(now, receipt(claimed, "delivered"))
    assert world.messages()[0].state == "DELIVERED"
    assert captured(world) == 1


# The endpoint --------------------------------------------------------------------------------------------------------


def test_what_a_text_answers_was_handed_over_before_it(world: World, now: datetime, claimed: Message) -> None:
    """A STOP, or a yes, that waited somewhere means what its writer had read by then."""
    with world.scope():
        at = Message.objects.get(id=claimed.id).claimed_at
        assert at is not None
        earlier = at - timedelta(seconds=1)
        found = [last_program(claimed.phone, world.number.id, before=moment) for moment in (at, earlier)]
        assert found == [world.program.id, 0]
        assert [may_have_reached(claimed.id, moment) for moment in (at, earlier)] == [True, False]
        Message.objects.filter(id=claimed.id).update(state=State.UNDELIVERED, captured=True)
        assert not may_have_reached(claimed.id, at), "the carrier says that it did not"


@pytest.fixture
def post(committed_world: World, settings: Any) -> Callable[..., int]:
    """Call the ASGI application as a server would; returns the status."""
    settings.CARRIER_CALLBACK_URL = "https://carillon.example"

    def call(path: str, form: dict[str, str], *, token: str = "simulated-token", method: str = "POST") -> int:
        endpoint, answers = CarrierEndpoint(), []
        body = urlencode(form).encode()
        signature = sign(token, f"https://carillon.example{path}", form)

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body}

        async def send(event: dict[str, Any]) -> None:
            answers.append(event)

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": b"",
            "headers": [(b"x-twilio-signature", signature.encode())],
        }
        asyncio.run(endpoint(scope, receive, send))
        return int(answers[0]["status"])

    return call


@pytest.mark.parametrize(
    ("path", "arguments", "status"),
    [
        ("/carrier/twilio/status/7", {}, 204),
        ("/carrier/twilio/inbound", {}, 200),
        ("/carrier/twilio/status/7", {"token": "another"}, 403),
        ("/carrier/twilio/inbound", {"token": "another"}, 403),
        ("/elsewhere", {}, 404),
        ("/carrier/twilio/inbound", {"method": "GET"}, 404),
    ],
)
def test_the_endpoint_takes_signed_callbacks_alone(
    post: Callable[..., int], path: str, arguments: dict[str, str], status: int
) -> None:
    form = {"AccountSid": SID, "MessageSid": "SM1", "MessageStatus": "sent", "From": "+1", "To": "+1", "Body": "é &"}
    with across_organizations(because="the test counts"):
        before = CarrierEvent.objects.count() + CarrierInbound.objects.count()
    assert post(path, form, **arguments) == status
    with across_organizations(because="the test counts"):
        after = CarrierEvent.objects.count() + CarrierInbound.objects.count()
        assert after - before == (1 if status < 300 else 0)
        CarrierEvent.objects.all().delete()
        CarrierInbound.objects.all().delete()


def test_an_unknown_account_is_refused(post: Callable[..., int]) -> None:
    assert post("/carrier/twilio/inbound", {"AccountSid": "AC0", "Body": "x"}) == 403


def test_where_stop_means_one_program_that_of_the_last_text_is_meant(
    world: World, now: datetime, claimed: Message
) -> None:
    """Nobody is stopped ahead of the others there: first it must be known what was meant."""
    message = claimed
    with across_organizations(because="as the dispatcher does"):
        settle([Settlement(message.id, State.ACCEPTED, sid="SM9")], now=now)
    with world.scope():
        Organization.objects.filter(id=world.id).update(stop_scope="PROGRAM")
    hear(now, inbound(world, "stop", phone=message.phone))
    with world.scope():
        assert not is_opted_out(message.phone)
        assert not ConsentState.objects.get(phone=message.phone, program_id=world.program.id).granted
        assert "no more texts of “Updates”" in Message.objects.get(reply_key="SMin1:STOPPED").body
    hear(now, inbound(world, "stop", sid="SMin2", phone=message.phone))
    with world.scope():
        assert is_opted_out(message.phone)


def test_a_word_that_joins_is_answered_and_the_question_is_known(world: World, now: datetime) -> None:
    with world.scope():
        Program.objects.update(double_opt_in=True)
        ProgramKeyword.objects.create(
            organization_id=world.id,
            program=world.program,
            sender_number_id=world.number.id,
            word="join",
            created_at=now,
        )
    hear(now, inbound(world, "JOIN"))
    with world.scope():
        asked = Message.objects.get(reply_key="SMin1:ASKED")
        assert OptInRequest.objects.get().message_id == asked.id
    hear(now + timedelta(seconds=1), inbound(world, "Ok", sid="SMin0"))
    with world.scope():
        assert OptInRequest.objects.get().state == "WAITING", "the question has not left: whatever this answers"
        stream = Stream.objects.get()
    claim(world, now, stream)
    hear(now + timedelta(minutes=1), inbound(world, "Yes", sid="SMin2"))
    with world.scope():
        assert ConsentRecord.objects.get(medium="DOUBLE_OPT_IN").message_id == asked.id
        assert Message.objects.filter(reply_key="SMin2:JOINED").exists()


# The carrier as witness --------------------------------------------------------------------------------------------


def listed(world: World, now: datetime, **more: Any) -> CarrierMessage:
    fields: dict[str, Any] = {
        "sid": "SMcarrier",
        "sender": PHONES[0],
        "phone": world.number.sender,
        "body": "Stop",
        "state": None,
        "error_code": None,
        "created_at": now,
        "inbound": True,
    }
    return CarrierMessage(**(fields | more))


def ask_witness(world: World, now: datetime, *messages: CarrierMessage) -> int:
    """As the nightly task does; return how many differences it noted."""
    at = now + timedelta(minutes=10)
    with across_organizations(because="as the nightly task does"):
        obey_missed(SID, hold_against_ours(SID, messages, now=at), now=at)
    with world.scope():
        return int(CarrierDifference.objects.filter(found_at=at).count())


def test_a_stop_that_never_reached_us_is_obeyed_and_noted(world: World, now: datetime) -> None:
    world.consent(PHONES[0])
    assert ask_witness(world, now, listed(world, now + timedelta(minutes=9))) == 0, "it may reach us yet"
    assert ask_witness(world, now, listed(world, now)) == 1
    assert ask_witness(world, now + timedelta(hours=1), listed(world, now)) == 0, "once"
    with world.scope():
        assert is_opted_out(PHONES[0])
        assert "reached the carrier and not us" in CarrierDifference.objects.get().words
        assert not Message.objects.exists(), "nobody is answered a day later"
        tell_differences(since=now, now=now)
        assert Notice.objects.filter(text__startswith="One person has said STOP to the carrier").count() == 1


def test_what_waits_to_be_applied_was_not_missed(world: World, now: datetime) -> None:
    form = {"MessageSid": "SMcarrier", "From": PHONES[0], "To": world.number.sender, "Body": "Stop"}
    with across_organizations(because="as the carrier endpoint does"):
        append_inbound([Received(SID, None, form)], now=now)
    assert ask_witness(world, now, listed(world, now)) == 0
    with world.scope():
        assert not InboundText.objects.exists(), "the consumer applies it, and answers"


def test_people_are_obeyed_in_their_own_order_whatever_the_carrier_lists_first(world: World, now: datetime) -> None:
    start = listed(world, now + timedelta(minutes=1), sid="SM2", body="Start")
    ask_witness(world, now, start, listed(world, now))
    with world.scope():
        assert not is_opted_out(PHONES[0])


def test_a_word_of_ones_own_that_stops_is_noted_too(world: World, now: datetime) -> None:
    with world.scope():
        remember_stop_word(sender_number_id=world.number.id, word="nomore", now=now)
    assert ask_witness(world, now, listed(world, now, body="nomore")) == 1


def test_a_missed_night_is_asked_about_the_next(world: World, now: datetime) -> None:
    account_id = world.number.carrier_account_id
    with across_organizations(because="as the nightly task does"):
        assert asked_since(account_id, now=now) == now - timedelta(hours=26)
        note_heard(account_id, now=now)
        assert asked_since(account_id, now=now + timedelta(days=1)) == now - timedelta(hours=2)
        assert asked_since(account_id, now=now + timedelta(days=3)) == now - timedelta(hours=2)


def test_a_refusal_as_opted_out_that_we_missed_is_noted_but_not_an_old_one(world: World, now: datetime) -> None:
    refused = listed(world, now, sender=world.number.sender, phone=PHONES[1], inbound=False, error_code=21610)
    assert ask_witness(world, now, refused, listed(world, now, sid="SM2", body="hi")) == 1
    assert ask_witness(world, now + timedelta(minutes=1), refused) == 0
    world.receive(PHONES[1], "START", at=now + timedelta(minutes=12))
    assert ask_witness(world, now + timedelta(minutes=15), refused) == 0
    with world.scope():
        assert not is_opted_out(PHONES[1])


def test_a_block_without_an_opt_out_becomes_one(world: World, now: datetime) -> None:
    with world.scope():
        note_block(PHONES[0], sender_number_id=world.number.id, at=now)
        assert stop_blocked(now=now) == 1
        assert stop_blocked(now=now) == 0
        assert is_opted_out(PHONES[0])
        assert CarrierDifference.objects.count() == 1


def test_who_came_back_by_another_number_is_only_not_texted_from_the_blocked_one(world: World, now: datetime) -> None:
    """STOP to a toll-free number, START to a local one: the network still blocks the first."""
    world.consent(PHONES[0])
    world.receive(PHONES[0], "STOP", at=now, toll_free=True)
    with world.scope():
        CarrierBlock.objects.update(sender_number_id=world.number.id + 1)  # as if it had been another number
    world.receive(PHONES[0], "START", at=now + timedelta(minutes=1))
    with world.scope():
        assert stop_blocked(now=now + timedelta(hours=1)) == 0
        assert not is_opted_out(PHONES[0])
        CarrierBlock.objects.update(sender_number_id=world.number.id)
    stream = stream_of(world, now)
    queue(world, stream, [PHONES[0]], now)
    assert [one.reason for one in claim(world, now, stream)] == ["blocked"]
