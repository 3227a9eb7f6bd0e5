"""Writes of campaigns."""

from campaigns.actions.advance import advance
from campaigns.actions.control import cancel_campaign, pause_campaign, resume_campaign
from campaigns.actions.drafts import CampaignRefused, add_outreach, change_draft, create_campaign
from campaigns.actions.launch import LaunchRefused, launch_outreach, schedule_outreach, write_messages
from campaigns.actions.quotes import quote_outreach, request_quote, run_quote

__all__ = [
    "CampaignRefused",
    "LaunchRefused",
    "add_outreach",
    "advance",
    "cancel_campaign",
    "change_draft",
    "create_campaign",
    "launch_outreach",
    "pause_campaign",
    "quote_outreach",
    "request_quote",
    "resume_campaign",
    "run_quote",
    "schedule_outreach",
    "write_messages",
]
