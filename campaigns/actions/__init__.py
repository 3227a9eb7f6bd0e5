"""Writes of campaigns."""

from campaigns.actions.advance import advance
from campaigns.actions.control import cancel_campaign, pause_campaign, resume_campaign
from campaigns.actions.drafts import (
    CampaignRefused,
    DraftChanged,
    DraftContent,
    DraftOrigin,
    add_outreach,
    check_audience,
    check_ready,
    check_start,
    create_campaign,
    delete_draft,
    duplicate_campaign,
    save_draft,
    use_template,
)
from campaigns.actions.launch import (
    ApprovalNeeded,
    LaunchRefused,
    confirm_outreach,
    hold_back,
    launch_outreach,
    schedule_outreach,
    withdraw_request,
    write_messages,
)
from campaigns.actions.preview import Example, Preview, example_of, preview
from campaigns.actions.quotes import QuoteOvertaken, fail_quote, quote_outreach, request_quote, run_quote

__all__ = [
    "ApprovalNeeded",
    "CampaignRefused",
    "DraftChanged",
    "DraftContent",
    "DraftOrigin",
    "Example",
    "LaunchRefused",
    "Preview",
    "QuoteOvertaken",
    "add_outreach",
    "advance",
    "cancel_campaign",
    "check_audience",
    "check_ready",
    "check_start",
    "confirm_outreach",
    "create_campaign",
    "delete_draft",
    "duplicate_campaign",
    "example_of",
    "fail_quote",
    "hold_back",
    "launch_outreach",
    "pause_campaign",
    "preview",
    "quote_outreach",
    "request_quote",
    "resume_campaign",
    "run_quote",
    "save_draft",
    "schedule_outreach",
    "use_template",
    "withdraw_request",
    "write_messages",
]
