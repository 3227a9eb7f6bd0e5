"""Opting out, by whichever path the wish comes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.actions import audit
from common.actor import Actor
from common.errors import DomainError
from common.sql import fetch_all, run
from common.tenancy import current_organization_id
from consent.models import CarrierBlock, OptInRequest, OptOut, PossibleOptOut
from consent.rules.media import Medium
from events.actions import publish_all


@dataclass(frozen=True, slots=True)
class Wish:
    """A phone that wants no more texts, since when, and the text that says so, where one does.

    `detail` is what a file says of where it was said.
    """

    phone: str
    at: datetime
    inbound_sid: str | None = None
    detail: str = ""


def opt_out(phone: str, *, source: OptOut.Source, actor_label: str, now: datetime, medium: str) -> bool:
    """Stop every text to this phone and withdraw all its consents. Returns False where it was stopped already."""
    return bool(_obey([Wish(phone, now)], source=source, medium=medium, actor_label=actor_label, now=now))


def opt_out_by_text(wish: Wish, *, now: datetime) -> bool:
    """The person texted STOP. Returns False where an earlier wish had stopped the phone already."""
    source, medium = OptOut.Source.KEYWORD, Medium.INBOUND_TEXT
    return bool(_obey([wish], source=source, medium=medium, actor_label=None, now=now))


def opt_out_ahead(wishes: Sequence[Wish], *, now: datetime) -> None:
    """Stop the texts to all who texted STOP at once, before their texts are gone through one by one.

    What else such a text asks for, the answer and the notice, is due with `opt_out_by_text`, which knows that it was
    first by its sid.
    """
    _write(wishes, source=OptOut.Source.KEYWORD, medium=Medium.INBOUND_TEXT, actor_label=None, now=now)


def opt_out_by_file(wishes: Sequence[Wish], *, actor: Actor, now: datetime) -> int:
    """Former wishes, as a file brings them; how many phones they have stopped that were not stopped. Safe to repeat.

    Who came back (START) after the day that the file names stays back.
    """
    stopped = _obey(wishes, source=OptOut.Source.FILE, medium="FILE", actor_label=actor.label, now=now, former=True)
    return len(stopped)


def _obey(
    wishes: Sequence[Wish],
    *,
    source: OptOut.Source,
    medium: str,
    actor_label: str | None,
    now: datetime,
    former: bool = False,
) -> list[str]:
    fresh = _write(wishes, source=source, medium=medium, actor_label=actor_label, now=now, former=former)
    if not former:  # of a file its owner knows: nobody needs to hear of each of a million
        publish_all(kind="opt_out.created", payloads=[{"phone": one, "source": source.value} for one in fresh], now=now)
    return fresh


def _write(
    wishes: Sequence[Wish],
    *,
    source: OptOut.Source,
    medium: str,
    actor_label: str | None,
    now: datetime,
    former: bool = False,
) -> list[str]:
    """The phones that these wishes have stopped, and no earlier one.

    A `former` wish stops nobody who came back since.
    """
    first = {wish.phone: wish for wish in reversed(wishes)}
    ordered = sorted(first.values(), key=lambda wish: wish.phone)  # two at once wait for each other in one order
    values = {
        "organization": current_organization_id(),
        "phones": [wish.phone for wish in ordered],
        "times": [wish.at for wish in ordered],
        "sids": [wish.inbound_sid for wish in ordered],
        "details": [wish.detail for wish in ordered],
        "former": former,
        "source": source.value,
        "medium": medium,
        "actor": actor_label,
        "now": now,
    }
    fresh = [phone for (phone,) in fetch_all(_OPT_OUT, values)]
    run(_AGAIN, values)
    run(_WITHDRAW, values)
    run(_END_QUESTIONS, values)
    return fresh


def opt_out_by_staff(phone: str, *, actor: Actor, now: datetime) -> None:
    """A person of the organization notes what somebody said: no more texts."""
    opt_out(phone, source=OptOut.Source.STAFF, actor_label=actor.label, now=now, medium="STAFF")


def opt_out_by_link(phone: str, *, now: datetime) -> None:
    """The person said so on the page that a text of theirs leads to."""
    opt_out(phone, source=OptOut.Source.LINK, actor_label="the person", now=now, medium="LINK")


def note_carrier_opt_out(phone: str, *, sender_number_id: int, now: datetime) -> None:
    """The carrier refuses this phone as opted out: it knows of a STOP that never reached us."""
    opt_out(phone, source=OptOut.Source.CARRIER, actor_label="carrier", now=now, medium="CARRIER")
    note_block(phone, sender_number_id=sender_number_id, at=now)


def note_block(phone: str, *, sender_number_id: int, at: datetime) -> None:
    """The network lets nothing through from this number to this phone."""
    CarrierBlock.objects.update_or_create(
        organization_id=current_organization_id(),
        sender_number_id=sender_number_id,
        phone=phone,
        defaults={"blocked_at": at, "lifted_at": None},
    )


class WroteAgain(DomainError):
    """Nothing was decided: what was read is not the newest text that may be a wish to stop."""

    code = "wrote_again"


def resolve_possible_opt_out(
    phone: str, *, stops: bool, actor: Actor, now: datetime, inbound_sid: str | None = None
) -> bool:
    """A person has read what somebody wrote: they want to stop, or they do not; whether the phone is stopped now.

    A second click changes nothing, and a yes counts also where somebody else has said no before. Raises WroteAgain
    where a no was to another text (`inbound_sid`) than the one that waits.
    """
    waiting = PossibleOptOut.objects.filter(phone=phone, resolved_at=None)
    verdict = PossibleOptOut.Verdict.STOPPED if stops else PossibleOptOut.Verdict.WENT_ON
    found = waiting.select_for_update(no_key=True).first()
    if found is not None and not stops and inbound_sid not in (None, found.inbound_sid):
        raise WroteAgain("They have written again since. Read their newest text, then decide.")
    if found is not None:
        waiting.update(resolved_at=now, verdict=verdict, resolved_by=actor.label)
        audit(action="possible_opt_out.resolved", subject=found, actor=actor, now=now, verdict=verdict)
    if stops:
        opt_out_by_staff(phone, actor=actor, now=now)
    return bool(OptOut.objects.filter(phone=phone, lifted_at=None).exists())


def end_questions(phone: str, *, at: datetime, now: datetime) -> None:
    """They have answered whatever was asked of them: what waits for a yes, or for a person to decide, waits no more."""
    waiting = OptInRequest.objects.filter(phone=phone, state=OptInRequest.State.WAITING, created_at__lte=at)
    waiting.update(state=OptInRequest.State.STOPPED, answered_at=now)
    undecided = PossibleOptOut.objects.filter(phone=phone, resolved_at=None)
    undecided.update(resolved_at=now, verdict=PossibleOptOut.Verdict.STOPPED, resolved_by=phone)


_WISHES = """unnest(%(phones)s::text[], %(times)s::timestamptz[], %(sids)s::text[], %(details)s::text[])
    AS w(phone, at, sid, detail)"""

_OPT_OUT = f"""
WITH stopped AS (
    INSERT INTO consent_optout AS o (organization_id, phone, source, detail, opted_out_at, inbound_sid)
    SELECT %(organization)s, w.phone, %(source)s, w.detail, w.at, w.sid FROM {_WISHES}
    ON CONFLICT (organization_id, phone)
    DO UPDATE SET source = excluded.source, detail = excluded.detail, opted_out_at = excluded.opted_out_at,
        lifted_at = NULL, said_again_at = NULL, asked_at = NULL, inbound_sid = excluded.inbound_sid
    WHERE o.lifted_at IS NOT NULL AND (NOT %(former)s OR excluded.opted_out_at > o.lifted_at)
    RETURNING phone, opted_out_at, inbound_sid, detail
), recorded AS (
    INSERT INTO consent_consentrecord
        (organization_id, phone, program_id, action, occurred_at, medium, inbound_sid, note, actor_label, recorded_at)
    SELECT %(organization)s, phone, 0, 'STOP', opted_out_at, %(medium)s, inbound_sid, NULLIF(detail, ''),
        COALESCE(%(actor)s, phone), %(now)s
    FROM stopped ORDER BY phone
)
SELECT phone FROM stopped
UNION
SELECT o.phone FROM consent_optout o JOIN {_WISHES} ON o.phone = w.phone AND o.inbound_sid = w.sid
WHERE o.organization_id = %(organization)s AND o.lifted_at IS NULL
"""

_AGAIN = f"""
UPDATE consent_optout o SET said_again_at = w.at FROM {_WISHES}
WHERE o.organization_id = %(organization)s AND o.phone = w.phone AND o.lifted_at IS NULL
    AND w.at > GREATEST(o.opted_out_at, o.said_again_at)
"""

# Who says stop answers every question of ours by it; a former wish only those that were asked before it.
_END_QUESTIONS = f"""
WITH requests AS (
    UPDATE consent_optinrequest r SET state = 'STOPPED', answered_at = %(now)s FROM {_WISHES}
    WHERE r.organization_id = %(organization)s AND r.phone = w.phone AND r.state = 'WAITING'
        AND (NOT %(former)s OR r.created_at <= w.at)
)
UPDATE consent_possibleoptout p SET resolved_at = %(now)s, verdict = 'STOPPED',
    resolved_by = COALESCE(%(actor)s, p.phone)
FROM consent_optout o
WHERE p.organization_id = %(organization)s AND p.phone = ANY(%(phones)s::text[]) AND p.resolved_at IS NULL
    AND o.organization_id = p.organization_id AND o.phone = p.phone AND o.lifted_at IS NULL
"""

# All but former wishes have stopped their phones by now.
_STOPPED = """(NOT %(former)s OR EXISTS (
    SELECT 1 FROM consent_optout o
    WHERE o.organization_id = s.organization_id AND o.phone = s.phone AND o.lifted_at IS NULL))"""

# Who did it: the person at the phone, where nobody else is named.
_WITHDRAW = f"""
WITH held AS MATERIALIZED (
    -- In one order, as everybody else who writes many of them.
    SELECT s.phone, s.program_id FROM consent_consentstate s JOIN {_WISHES} ON s.phone = w.phone
    WHERE s.organization_id = %(organization)s AND s.granted AND {_STOPPED}
    ORDER BY s.phone, s.program_id FOR NO KEY UPDATE OF s
), withdrawn AS (
    UPDATE consent_consentstate s SET granted = false, stopped = true, changed_at = GREATEST(s.changed_at, w.at)
    FROM {_WISHES}, (SELECT count(*) FROM held) AS all_held
    WHERE s.organization_id = %(organization)s AND s.phone = w.phone AND s.granted AND {_STOPPED}
    RETURNING s.organization_id, s.phone, s.program_id, w.at, w.sid
)
INSERT INTO consent_consentrecord
    (organization_id, phone, program_id, action, occurred_at, medium, inbound_sid, actor_label, recorded_at)
SELECT organization_id, phone, program_id, 'WITHDRAW', at, %(medium)s, sid, COALESCE(%(actor)s, phone), %(now)s
FROM withdrawn
"""
