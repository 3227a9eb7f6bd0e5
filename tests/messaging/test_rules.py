from itertools import product

import pytest

from messaging.rules.digests import digest_of
from messaging.rules.kinds import CHECKS, ConsentCheck, TextKind
from messaging.rules.pacing import LOOK_AHEAD, interval, segments_to_ask_for
from messaging.rules.states import HANDED_OVER, MOVES, State, may_move

ORDER = [
    *(State.QUEUED, State.CLAIMED, State.UNKNOWN, State.UNCONFIRMED, State.ACCEPTED, State.SENT),
    *(State.NO_RECEIPT, State.DELIVERED),
]


@pytest.mark.parametrize(("before", "after"), list(product(State, State)))
def test_moves_lead_forward_except_back_to_the_queue(before: State, after: State) -> None:
    if not may_move(before, after):
        return
    if before in ORDER and after in ORDER:
        assert ORDER.index(after) > ORDER.index(before) or after is State.QUEUED
    if before in HANDED_OVER:
        assert after in HANDED_OVER, "what the carrier has stays with the carrier"


def test_every_state_has_its_row() -> None:
    assert set(MOVES) == set(State)


def test_only_what_a_sender_holds_can_return_to_the_queue() -> None:
    """And only by that sender's word: settling asks for its claim (test_an_overtaken_sender_gives_nothing_back)."""
    assert {state for state in State if may_move(state, State.QUEUED)} == {State.CLAIMED, State.UNKNOWN}


def test_the_table_of_checks() -> None:
    """dispatch.md, invariant 2."""
    assert {kind: (row.opt_out, row.consent, row.duplicates, row.credit) for kind, row in CHECKS.items()} == {
        TextKind.CAMPAIGN: (True, ConsentCheck.PROGRAM, True, True),
        TextKind.REPLY: (True, ConsentCheck.CONVERSATION, False, True),
        TextKind.COMPLIANCE: (False, ConsentCheck.NONE, False, False),
        TextKind.OPT_IN_REQUEST: (True, ConsentCheck.REQUEST, True, True),
        TextKind.AUTOMATIC: (True, ConsentCheck.CONVERSATION, False, True),
        TextKind.TEST: (True, ConsentCheck.NONE, False, True),
    }


def test_digests_fit_a_bigint_and_tell_texts_apart() -> None:
    digests = {digest_of(f"text {number}") for number in range(1000)}
    assert len(digests) == 1000
    assert all(-(2**63) <= digest < 2**63 for digest in digests)


@pytest.mark.parametrize(
    ("rate", "next_free", "segments"),
    [
        (100, 0.0, 10),  # idle: the whole look-ahead
        (100, LOOK_AHEAD / 2, 5),
        (100, LOOK_AHEAD * 0.6, 0),  # more than half is reserved: wait, and ask for several at once
        (1, 0.0, 1),
        (1, 0.9, 0),
        (1, 0.04, 1),
    ],
)
def test_slots_within_the_look_ahead(rate: float, next_free: float, segments: int) -> None:
    assert segments_to_ask_for(rate=rate, next_free=next_free, now=0.0) == segments


def test_a_second_of_slots_stays_below_the_rate() -> None:
    for rate in (1, 3, 30, 100, 500):
        assert 1 / interval(rate) <= rate
