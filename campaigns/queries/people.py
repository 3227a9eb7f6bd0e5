"""Whom a campaign reached, whom not and why, in the user's words."""

from collections.abc import Sequence
from dataclasses import dataclass

from audiences.models import Exclusion
from audiences.rules.exclusions import WORDS
from campaigns.models import Outreach
from campaigns.queries.progress import NO_QUOTE, Progress
from contacts.queries import contact_names
from messaging.gateways.twilio.errors import words_for
from messaging.queries import (
    RECIPIENTS,
    Recipient,
    Trouble,
    recipients_of,
    troubles_of,
)
from messaging.rules.states import WORDS as STATE_WORDS
from messaging.rules.states import State


@dataclass(frozen=True, slots=True)
class TroubleLine:
    """Why texts of a campaign did not arrive, in the user's words, and what was or can be done."""

    people: int
    more: bool
    words: str
    advice: str
    code: int | None
    state: State


def trouble_lines(campaign_id: int) -> list[TroubleLine]:
    return [_trouble_line(trouble) for trouble in troubles_of(campaign_id)]


_UNCERTAIN = {
    State.UNKNOWN: ("In doubt", "The connection broke while it was handed over. The carrier is being asked."),
    State.UNCONFIRMED: ("Not confirmed by the carrier", "Not charged. Never sent again by itself."),
    State.NO_RECEIPT: ("Sent, no receipt came", "It may have arrived: some carriers tell nothing."),
}


def _trouble_line(trouble: Trouble) -> TroubleLine:
    if trouble.state in _UNCERTAIN:
        words, advice = _UNCERTAIN[trouble.state]
    elif trouble.state == State.SKIPPED:
        words, advice = WORDS.get(trouble.reason, trouble.reason).capitalize(), "Asked at the last moment; not charged."
    else:
        words, advice = words_for(trouble.error_code)
        charged = trouble.state == State.UNDELIVERED
        advice += " Charged: the carrier had accepted it." if charged else " Not charged."
    return TroubleLine(trouble.messages, trouble.more, words, advice, trouble.error_code, trouble.state)


@dataclass(frozen=True, slots=True)
class RecipientRow:
    """A line of the recipients of a campaign."""

    recipient: Recipient
    name: str
    words: str


SHOWN_STATES: dict[str, tuple[str, tuple[State, ...]]] = {
    "all": ("Everybody", ()),
    "delivered": ("Delivered", (State.DELIVERED,)),
    "way": ("On the way", (State.ACCEPTED, State.SENT)),
    "waiting": ("Waiting", (State.QUEUED, State.CLAIMED)),
    "failed": ("Failed", (State.FAILED, State.UNDELIVERED)),
    "doubt": ("In doubt", (State.UNKNOWN, State.UNCONFIRMED, State.NO_RECEIPT)),
    "skipped": ("Not sent", (State.SKIPPED, State.CANCELED, State.EXPIRED)),
}
"""The filters of the recipients: name in the address, words, states."""


def recipient_rows(
    campaign_id: int, *, progress: Progress, show: str, error_code: int | None, after: str
) -> tuple[list[RecipientRow], str]:
    """The next recipients of a campaign, and the phone that the next page begins after (empty: the end)."""
    states = SHOWN_STATES[show][1]
    if states and not progress.messages(*states):  # the counters know that there is none: no need to look
        return [], ""
    page = recipients_of(campaign_id, states=states, error_code=error_code, after=after)
    shown = page[:RECIPIENTS]
    names = contact_names([row.contact_id for row in shown if row.contact_id])
    rows = [
        RecipientRow(
            row,
            names.get(row.contact_id or 0, ""),
            fate(row.state, error_code=row.error_code, reason=row.reason),
        )
        for row in shown
    ]
    return rows, shown[-1].phone if len(page) > RECIPIENTS else ""


def fate(state: State, *, error_code: int | None, reason: str) -> str:
    """What became of a text, with the reason where it did not arrive."""
    words = STATE_WORDS[state]
    if state == State.SKIPPED:
        return f"{words}: {WORDS.get(reason, reason)}"
    if error_code and state in (State.FAILED, State.UNDELIVERED):
        return f"{words}: {words_for(error_code)[0].lower()} ({error_code})"
    return words


EXCLUDED = 50


def left_out_people(
    outreaches: Sequence[Outreach], *, reason: str, after: tuple[int, int] | None
) -> tuple[list[tuple[Exclusion, str]], tuple[int, int] | None]:
    """The next people left out of quotes for a reason (empty: any), and the pair that the next page begins after."""
    page: list[Exclusion] = []
    for outreach in sorted(outreaches, key=lambda one: one.id):
        found = Exclusion.objects.filter(outreach_id=outreach.id, quote_id=outreach.quote_id or NO_QUOTE)
        if after is not None:
            found = found.filter(contact_id__gt=after[1]) if outreach.id == after[0] else found
            found = found.none() if outreach.id < after[0] else found
        found = (found.filter(reason=reason) if reason else found).order_by("contact_id")
        page += found[: EXCLUDED + 1 - len(page)] if len(page) <= EXCLUDED else []
    shown = page[:EXCLUDED]
    names = contact_names([row.contact_id for row in shown])
    rows = [(row, names.get(row.contact_id, "someone deleted since")) for row in shown]
    return rows, (shown[-1].outreach_id, shown[-1].contact_id) if len(page) > EXCLUDED else None


@dataclass(frozen=True, slots=True)
class LeftOutLine:
    """How many are left out for one reason, in the user's words."""

    reason: str
    words: str
    people: int


def left_out_lines(progress: Progress) -> list[LeftOutLine]:
    found = sorted(progress.exclusions.items(), key=lambda item: -item[1])
    return [LeftOutLine(reason, WORDS[reason], people) for reason, people in found]
