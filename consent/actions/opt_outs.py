"""Opting out, by whichever path the wish comes."""

from datetime import datetime

from common.actor import Actor
from common.sql import run
from common.tenancy import current_organization_id
from consent.models import CarrierBlock, OptOut
from events.actions import publish


def opt_out(
    phone: str, *, source: OptOut.Source, actor_label: str, now: datetime, medium: str, inbound_sid: str | None = None
) -> bool:
    """Stop every text to this phone and withdraw all its consents. Returns False where it was stopped already."""
    values = {
        "organization": current_organization_id(),
        "phone": phone,
        "source": source.value,
        "now": now,
        "medium": medium,
        "sid": inbound_sid,
        "actor": actor_label,
    }
    fresh = run(_OPT_OUT, values) == 1
    run(_WITHDRAW, values)
    if fresh:
        publish(kind="opt_out.created", payload={"phone": phone, "source": source.value}, now=now)
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
    CarrierBlock.objects.update_or_create(
        organization_id=current_organization_id(),
        sender_number_id=sender_number_id,
        phone=phone,
        defaults={"blocked_at": now, "lifted_at": None},
    )


_OPT_OUT = """
INSERT INTO consent_optout AS o (organization_id, phone, source, opted_out_at)
VALUES (%(organization)s, %(phone)s, %(source)s, %(now)s)
ON CONFLICT (organization_id, phone)
DO UPDATE SET source = excluded.source, opted_out_at = excluded.opted_out_at, lifted_at = NULL
WHERE o.lifted_at IS NOT NULL
"""

_WITHDRAW = """
WITH withdrawn AS (
    UPDATE consent_consentstate SET granted = false, stopped = true, changed_at = %(now)s
    WHERE organization_id = %(organization)s AND phone = %(phone)s AND granted
    RETURNING organization_id, phone, program_id
)
INSERT INTO consent_consentrecord
    (organization_id, phone, program_id, action, occurred_at, medium, inbound_sid, actor_label, recorded_at)
SELECT organization_id, phone, program_id, 'WITHDRAW', %(now)s, %(medium)s, %(sid)s, %(actor)s, %(now)s
FROM withdrawn
"""
