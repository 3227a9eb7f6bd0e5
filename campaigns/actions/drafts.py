"""Drafts of campaigns and their outreaches."""

from datetime import datetime
from uuid import uuid4

from accounts.actions import audit
from accounts.models import Organization
from audiences.queries import Audience
from campaigns.models import Campaign, Outreach
from campaigns.rules.states import CampaignState, OutreachState
from common.actor import Actor
from common.errors import DomainError
from common.tenancy import current_organization_id
from consent.actions import check_stop_word
from consent.models import Program
from consent.rules.lawful_hours import ALWAYS, Weekly
from content.rules.rendering import TemplateError, compile_template, with_way_out
from senders.models import SenderNumber


class CampaignRefused(DomainError):
    code = "campaign_refused"


def create_campaign(
    *,
    name: str,
    program: Program,
    number: SenderNumber,
    body: str,
    actor: Actor,
    now: datetime,
    opt_out_word: str = "STOP",
    sending_hours: Weekly = ALWAYS,
) -> Campaign:
    """Write a draft.

    Raises CampaignRefused where the text is empty, too long or cannot be read, and UnusableStopWord.
    """
    organization = Organization.objects.get(id=current_organization_id())
    if not organization.campaigns_enabled:
        raise CampaignRefused(
            "Campaigns are switched off for your organization. Ask the platform's staff to switch them on."
        )
    _check_body(body, opt_out_word, organization.message_char_limit)
    check_stop_word(opt_out_word)
    campaign: Campaign = Campaign.objects.create(
        organization_id=organization.id,
        name=name,
        program=program,
        sender_number=number,
        body=body.replace("\r\n", "\n"),
        opt_out_word=opt_out_word,
        sending_hours=[list(row) if row else None for row in sending_hours],
        state=CampaignState.DRAFT,
        created_at=now,
    )
    audit(action="campaign.created", subject=campaign, actor=actor, now=now, name=name)
    return campaign


def change_draft(
    campaign_id: int,
    *,
    name: str,
    program: Program,
    number: SenderNumber,
    body: str,
    opt_out_word: str,
    audience: Audience,
    actor: Actor,
    now: datetime,
) -> Campaign:
    """Write a draft anew; its quote is void.

    Raises CampaignRefused where it is no draft any more, and whatever `create_campaign` raises.
    """
    campaign = Campaign.objects.select_for_update(no_key=True).get(id=campaign_id)
    if campaign.state != CampaignState.DRAFT:
        raise CampaignRefused("This campaign is under way and cannot be changed. Duplicate it to send another text.")
    limit = Organization.objects.get(id=campaign.organization_id).message_char_limit
    _check_body(body, opt_out_word, limit)
    check_stop_word(opt_out_word)
    campaign.name, campaign.program, campaign.sender_number = name, program, number
    campaign.body, campaign.opt_out_word = body.replace("\r\n", "\n"), opt_out_word
    campaign.save()
    campaign.outreaches.update(
        everyone=audience.everyone,
        list_ids=list(audience.list_ids),
        # A name that no quote has: one that is being made of the former text finds itself overtaken.
        quote_id=uuid4(),
        quoted_at=None,
        state=OutreachState.DRAFT,
    )
    audit(action="campaign.changed", subject=campaign, actor=actor, now=now, name=name)
    return campaign


def add_outreach(
    campaign: Campaign,
    audience: Audience,
    *,
    actor: Actor,
    now: datetime,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> Outreach:
    """Add an audience to a campaign, whatever state that is in short of canceled. Raises CampaignRefused."""
    if campaign.state in (CampaignState.CANCELED, CampaignState.FAILED):
        raise CampaignRefused("This campaign was canceled. Duplicate it to send the text again.")
    if ends_at is not None and ends_at <= max(starts_at or now, now):
        raise CampaignRefused("The end lies before the start. Choose a later end or none.")
    outreach: Outreach = Outreach.objects.create(
        organization_id=campaign.organization_id,
        campaign=campaign,
        everyone=audience.everyone,
        list_ids=list(audience.list_ids),
        phone_label=audience.label,
        starts_at=starts_at,
        ends_at=ends_at,
    )
    audit(action="outreach.added", subject=outreach, actor=actor, now=now, campaign=campaign.id)
    return outreach


def _check_body(body: str, opt_out_word: str, limit: int) -> None:
    if not body.strip():
        raise CampaignRefused("Write the text first: it is empty.")
    try:
        template = compile_template(with_way_out(body, opt_out_word))
    except TemplateError as error:
        raise CampaignRefused(str(error)) from error
    # With every tag at its fallback: what the person saw while typing.
    length = sum(len(part if isinstance(part, str) else part.fallback or "") for part in template.parts)
    if length > limit:
        raise CampaignRefused(
            f"The text has {length} characters with its way out; {limit} are allowed. Shorten it by {length - limit}."
        )
