"""The states of campaigns and outreaches, and the moves between them (domain.md, Campaign)."""

from enum import StrEnum


class CampaignState(StrEnum):
    DRAFT = "DRAFT"
    SCHEDULED = "SCHEDULED"
    SENDING = "SENDING"
    PAUSED = "PAUSED"
    COMPLETED = "COMPLETED"
    CANCELED = "CANCELED"
    FAILED = "FAILED"


class OutreachState(StrEnum):
    DRAFT = "DRAFT"
    QUOTED = "QUOTED"
    AWAITING_APPROVAL = "AWAITING_APPROVAL"
    SCHEDULED = "SCHEDULED"
    OPEN = "OPEN"
    PAUSED = "PAUSED"
    CLOSED = "CLOSED"


UNCONFIRMED = (OutreachState.DRAFT, OutreachState.QUOTED, OutreachState.AWAITING_APPROVAL)
"""Nobody has said yet that it may be sent."""

CAMPAIGN_MOVES: dict[CampaignState, frozenset[CampaignState]] = {
    CampaignState.DRAFT: frozenset({CampaignState.SCHEDULED, CampaignState.SENDING}),
    CampaignState.SCHEDULED: frozenset(
        {
            *(CampaignState.DRAFT, CampaignState.SENDING, CampaignState.CANCELED, CampaignState.FAILED),
            CampaignState.COMPLETED,  # a later outreach was taken back from the schedule
        }
    ),
    CampaignState.SENDING: frozenset({CampaignState.PAUSED, CampaignState.COMPLETED, CampaignState.CANCELED}),
    CampaignState.PAUSED: frozenset({CampaignState.SENDING, CampaignState.COMPLETED, CampaignState.CANCELED}),
    CampaignState.COMPLETED: frozenset({CampaignState.SCHEDULED, CampaignState.SENDING}),  # an outreach added later
    CampaignState.CANCELED: frozenset(),
    CampaignState.FAILED: frozenset(),
}

OUTREACH_MOVES: dict[OutreachState, frozenset[OutreachState]] = {
    OutreachState.DRAFT: frozenset({OutreachState.QUOTED}),
    OutreachState.QUOTED: frozenset(
        {OutreachState.QUOTED, OutreachState.AWAITING_APPROVAL, OutreachState.SCHEDULED, OutreachState.OPEN}
    ),
    OutreachState.AWAITING_APPROVAL: frozenset({OutreachState.QUOTED, OutreachState.SCHEDULED, OutreachState.OPEN}),
    OutreachState.SCHEDULED: frozenset({OutreachState.OPEN, OutreachState.QUOTED, OutreachState.CLOSED}),
    OutreachState.OPEN: frozenset({OutreachState.PAUSED, OutreachState.CLOSED}),
    OutreachState.PAUSED: frozenset({OutreachState.OPEN, OutreachState.CLOSED}),
    OutreachState.CLOSED: frozenset(),
}
