"""Pause, resume and cancel: each changes a few rows, and dispatch follows within a second."""

from datetime import datetime

from accounts.actions import audit, dismiss_notices_of
from campaigns.actions.launch import writing_lock
from campaigns.models import Campaign
from campaigns.queries import review_url
from campaigns.rules.states import CAMPAIGN_MOVES, UNCONFIRMED, CampaignState, OutreachState
from common.actor import Actor
from common.errors import DomainError
from common.sql import hold
from messaging.actions.streams import set_stream_state
from messaging.models import StreamState


class NotPossibleNow(DomainError):
    code = "not_possible_now"


def pause_campaign(campaign_id: int, *, actor: Actor, now: datetime) -> None:
    """Hold everything back that is not at the carrier yet."""
    _move(campaign_id, CampaignState.PAUSED, StreamState.PAUSED, actor, now)


def resume_campaign(campaign_id: int, *, actor: Actor, now: datetime) -> None:
    """Go on where the pause began."""
    _move(campaign_id, CampaignState.SENDING, StreamState.OPEN, actor, now)


def cancel_campaign(campaign_id: int, *, actor: Actor, now: datetime) -> None:
    """End it: what is not at the carrier is never sent, and its credits are given back."""
    _move(campaign_id, CampaignState.CANCELED, StreamState.CLOSED, actor, now)


_OUTREACH_AFTER = {
    CampaignState.PAUSED: ({OutreachState.OPEN}, OutreachState.PAUSED, ""),
    CampaignState.SENDING: ({OutreachState.PAUSED}, OutreachState.OPEN, ""),
    CampaignState.CANCELED: (
        {OutreachState.OPEN, OutreachState.PAUSED, OutreachState.SCHEDULED},
        OutreachState.CLOSED,
        "canceled",
    ),
}


def _move(campaign_id: int, to: CampaignState, streams: StreamState, actor: Actor, now: datetime) -> None:
    campaign = Campaign.objects.select_for_update(no_key=True).get(id=campaign_id)
    before = CampaignState(campaign.state)
    if before == to:
        return
    if to not in CAMPAIGN_MOVES[before]:
        raise NotPossibleNow(f"This campaign is {before.lower()}: it cannot become {to.lower()}.")
    campaign.state = to
    campaign.save(update_fields=["state"])
    states, after, reason = _OUTREACH_AFTER[to]
    # In the order of ids, like every other lock on outreaches.
    for outreach_id in campaign.outreaches.order_by("id").values_list("id", flat=True):
        hold(writing_lock(outreach_id))
    for outreach in campaign.outreaches.select_for_update(no_key=True).order_by("id"):
        if to == CampaignState.CANCELED and outreach.state in UNCONFIRMED:
            dismiss_notices_of(review_url(outreach), now=now)
        if outreach.state in states:
            outreach.state, outreach.close_reason = after, reason
            outreach.save(update_fields=["state", "close_reason"])
            set_stream_state(source=outreach.source, state=streams)
    audit(action=f"campaign.{to.lower()}", subject=campaign, actor=actor, now=now, before=before)
