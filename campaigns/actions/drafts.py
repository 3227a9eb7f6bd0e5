"""Drafts of campaigns and their outreaches."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.urls import reverse

from accounts.actions import audit, dismiss_notices_of
from accounts.queries import current_organization
from audiences.actions import forget_exclusions
from audiences.queries import Audience, target_groups
from campaigns.actions.texts import opt_out_word_of, typed_text
from campaigns.models import Campaign, Outreach, QuoteChunk
from campaigns.queries import confirmed_of, file_being_read, newest_quote_job, review_url
from campaigns.rules.hours import weekly_of
from campaigns.rules.states import UNCONFIRMED, CampaignState, OutreachState
from common.actor import Actor
from common.errors import DomainError
from common.tenancy import current_organization_id
from consent.actions import check_stop_word
from consent.models import Program
from consent.rules.lawful_hours import ALWAYS, Weekly
from contacts.models import Existing, Import
from content.actions import note_use
from content.models import StoredFile, Template
from content.queries import is_live, newest_version
from content.rules.pictures import MOST_PICTURES
from content.rules.rendering import TemplateError
from senders.models import SenderNumber


class CampaignRefused(DomainError):
    """Not as it is. `facts["field"]` names what to change, where it is one thing."""

    code = "campaign_refused"


class StillReading(CampaignRefused):
    """People of the audience are being brought at this moment: it passes by itself."""


class DraftChanged(DomainError):
    """The draft was saved from another window since; nothing was written."""

    code = "draft_changed"


@dataclass(frozen=True, slots=True)
class DraftContent:
    """Everything that a composer holds, whole or not; `starts_at` None: as soon as it is launched; `ends_at`: no end.

    `unreadable` names what was typed but cannot be read yet (body, sending_hours, starts_at): what is stored of it
    stays.
    """

    name: str
    program: Program | None
    number: SenderNumber | None
    body: str
    opt_out_word: str = ""
    plain_characters: bool = True
    description: str = ""
    language: str = "en"
    audience: Audience = field(default_factory=Audience)
    sending_hours: Weekly = ALWAYS
    hourly_limit: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    unreadable: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class DraftOrigin:
    """Where a save comes from: the form, the writing it began with, the view of it and how many changes it has seen.

    `former` is the view whose words this one brought back: what that one saved in its last moment is no other's.
    """

    form_id: UUID
    revision: int
    window: UUID | None = None
    step: int = 0
    former: UUID | None = None


def create_campaign(
    *,
    name: str,
    program: Program,
    number: SenderNumber,
    body: str,
    actor: Actor,
    now: datetime,
    opt_out_word: str = "",
    sending_hours: Weekly = ALWAYS,
) -> Campaign:
    """Write a draft that could be sent, without an audience yet.

    Raises CampaignRefused where the text is empty, too long or cannot be read, and UnusableStopWord.
    """
    campaign, _ = _draft_of(uuid4(), actor=actor, now=now)
    _write(campaign, DraftContent(name, program, number, body, opt_out_word, sending_hours=sending_hours))
    check_ready(campaign)
    campaign.save()
    return campaign


def save_draft(
    content: DraftContent, *, origin: DraftOrigin, actor: Actor, now: datetime, overwrite: bool = False
) -> Campaign:
    """Keep what a composer holds, whole or not. The same content again changes nothing.

    Of one view the newest step stands, in whatever order its requests arrive. Raises DraftChanged where another view
    has saved something else since (unless `overwrite`), and CampaignRefused where it is no draft any more.
    """
    campaign, created = _draft_of(origin.form_id, actor=actor, now=now)
    if campaign.state != CampaignState.DRAFT:
        raise CampaignRefused("This campaign is under way and cannot be changed. Duplicate it to send another text.")
    outreach = campaign.outreaches.order_by("id").first()
    if outreach is None:
        outreach = add_outreach(campaign, content.audience, actor=actor, now=now)
    content = _with_stored(content, campaign, outreach)
    own = origin.window is not None and origin.window == campaign.saved_in
    if own and origin.step < campaign.step:
        return campaign
    if _held_by(campaign, outreach) == _comparable(content):
        if own and origin.step > campaign.step:
            campaign.step = origin.step  # what that view held before comes too late from here on
            campaign.save(update_fields=["step"])
        return campaign
    goes_on = origin.former is not None and origin.former == campaign.saved_in
    if not (own or goes_on or created or overwrite) and origin.revision != campaign.revision:
        raise DraftChanged(
            f"{campaign.saved_by} saved this draft in another window. Your words are still here: "
            "save them over the others, or load the page again to see those."
        )
    _write(campaign, content)
    campaign.revision, campaign.saved_at, campaign.saved_by = campaign.revision + 1, now, actor.label
    campaign.saved_in, campaign.step = origin.window, origin.step
    campaign.save()
    outreach.everyone, outreach.list_ids = content.audience.everyone, list(content.audience.list_ids)
    outreach.group_ids, outreach.import_id = list(content.audience.group_ids), content.audience.import_id
    outreach.phone_label = content.audience.label
    outreach.starts_at, outreach.ends_at = content.starts_at, content.ends_at
    if outreach.starts_at is not None and outreach.ends_at is not None and outreach.ends_at <= outreach.starts_at:
        outreach.ends_at = None  # the former end, which the new start overtakes: the form says so
    outreach.state = OutreachState.DRAFT
    outreach.asked_by_id, outreach.asked_at, outreach.approved_by = None, None, ""
    # A name that no quote has: one that is being made of the former text finds itself overtaken.
    outreach.quote_id, outreach.quoted_at = uuid4(), None
    outreach.save()
    _dismiss_requests(campaign, now)
    return campaign


def check_ready(campaign: Campaign) -> None:
    """Whether a draft could be sent. Raises CampaignRefused, or UnusableStopWord, with what to change."""
    if not campaign.name.strip():
        raise CampaignRefused("Give the campaign a name: you find it by it later.", field="name")
    if campaign.sender_number_id is None:
        raise CampaignRefused("Choose the number that the text comes from.", field="number")
    if campaign.program_id is None:
        raise CampaignRefused("Choose the program: only people who agreed to it get the text.", field="program")
    check_words(campaign)
    check_stop_word(opt_out_word_of(campaign))
    if not any(campaign.sending_hours):
        raise CampaignRefused("Every day is closed. Open at least one, or send at any lawful hour.", field="hours")


def check_words(campaign: Campaign) -> None:
    """Whether the number may send these words and pictures. Raises CampaignRefused with what to change."""
    organization = current_organization()
    if not organization.campaigns_enabled:
        raise CampaignRefused(
            "Campaigns are switched off for your organization. Ask the platform's staff to switch them on."
        )
    _check_body(campaign, organization.message_char_limit)
    if campaign.media_ids and campaign.sender_number is not None and not campaign.whole_number.can_mms:
        raise CampaignRefused(
            f"{campaign.whole_number} cannot send pictures. Remove them, or choose a number that can.", field="number"
        )


def add_picture(campaign_id: int, picture: StoredFile, *, actor: Actor, now: datetime) -> Campaign:
    """Send a picture with a draft's text. Raises CampaignRefused where there are ten already."""
    campaign = _locked_draft(campaign_id)
    known = StoredFile.objects.filter(id__in=campaign.media_ids, sha256=picture.sha256)
    if known.exists():  # sent twice by a second click: it is there
        return campaign
    if len(campaign.media_ids) >= MOST_PICTURES:
        raise CampaignRefused(f"A text has at most {MOST_PICTURES} pictures. Remove one first.", field="pictures")
    return _with_pictures(campaign, [*campaign.media_ids, picture.id], now)


def remove_picture(campaign_id: int, picture_id: int, *, actor: Actor, now: datetime) -> Campaign:
    """Send the text without it; one that is gone already is gone."""
    campaign = _locked_draft(campaign_id)
    return _with_pictures(campaign, [one for one in campaign.media_ids if one != picture_id], now)


def _locked_draft(campaign_id: int) -> Campaign:
    campaign = Campaign.objects.select_for_update(no_key=True).get(id=campaign_id)
    if campaign.state != CampaignState.DRAFT:
        raise CampaignRefused("This campaign is under way and cannot be changed. Duplicate it to send another text.")
    return campaign


def _with_pictures(campaign: Campaign, media_ids: list[int], now: datetime) -> Campaign:
    # Not a new revision: pictures are no part of what a window holds, and another window loses nothing by them.
    campaign.media_ids, campaign.saved_at = media_ids, now
    campaign.save(update_fields=["media_ids", "saved_at"])
    _forget_quote(campaign, now)
    return campaign


def _forget_quote(campaign: Campaign, now: datetime) -> None:
    """What was quoted, or asked approval for, is another text now."""
    campaign.outreaches.update(
        state=OutreachState.DRAFT, quote_id=uuid4(), quoted_at=None, asked_by_id=None, asked_at=None, approved_by=""
    )
    _dismiss_requests(campaign, now)


def _dismiss_requests(campaign: Campaign, now: datetime) -> None:
    """What colleagues were asked to look at is not there any more."""
    dismiss_notices_of(reverse("campaigns:review", args=[campaign.id]), now=now)


def check_times(starts_at: datetime | None, ends_at: datetime | None, *, now: datetime) -> None:
    """Raises CampaignRefused where the end of an outreach lies in the past or before its start."""
    if ends_at is not None and ends_at <= max(starts_at or now, now):
        raise CampaignRefused("The end lies before the start. Choose a later end or none.", field="ends_at")


def check_start(outreach: Outreach, *, now: datetime) -> None:
    """Raises CampaignRefused where the start lies in the past."""
    if outreach.starts_at is not None and outreach.starts_at <= now:
        raise CampaignRefused("The start lies in the past. Choose a later time, or send now.", field="starts_at")


def check_audience(outreach: Outreach) -> None:
    """Raises CampaignRefused where nobody is chosen, a target group is gone, or (StillReading) people still come."""
    audience = outreach.audience
    nobody = not audience.list_ids and not audience.group_ids and audience.import_id is None
    if not audience.everyone and nobody:
        raise CampaignRefused("Choose at least one list or target group, or all contacts.", field="lists")
    known = target_groups().filter(id__in=audience.group_ids).count()
    if not audience.everyone and known < len(set(audience.group_ids)):
        raise CampaignRefused("A target group that was chosen is not there any more. Choose again.", field="groups")
    if (reading := file_being_read(outreach)) is not None:
        raise StillReading(
            f"{reading.file.name} is still being read: {reading.job.done:,} rows so far. Try again in a moment.",
            field="whom",
        )


def duplicate_campaign(campaign_id: int, *, form_id: UUID, actor: Actor, now: datetime) -> Campaign:
    """A new draft with the words, audience and hours of a campaign, to be sent again; once for each form."""
    known: Campaign | None = Campaign.objects.filter(form_id=form_id).first()
    if known is not None:  # the second click; what was changed in the copy since stays
        return known
    campaign = Campaign.objects.select_related("program", "sender_number").get(id=campaign_id)
    content = DraftContent(
        name=f"{campaign.name[:112]} (copy)",
        program=campaign.program,
        number=campaign.sender_number,
        body=campaign.body,
        opt_out_word=campaign.opt_out_word,
        description=campaign.description,
        language=campaign.language,
        plain_characters=campaign.plain_characters,
        audience=_all_of([outreach.audience for outreach in confirmed_of(campaign)]),
        sending_hours=weekly_of(campaign.sending_hours),
        hourly_limit=campaign.hourly_limit,
    )
    copy = save_draft(content, origin=DraftOrigin(form_id, 0), actor=actor, now=now)
    copy.template_version_id, copy.media_ids = campaign.template_version_id, campaign.media_ids
    copy.upload_ids = campaign.upload_ids
    copy.save(update_fields=["template_version", "media_ids", "upload_ids"])
    return copy


def _all_of(audiences: Sequence[Audience]) -> Audience:
    """One audience for those of several outreaches, on the first one's phone field.

    People of a file who are no contacts are an audience of their own: they come along where they are the only one.
    """
    first = audiences[0]
    if len(audiences) == 1:
        return first
    return Audience(
        any(one.everyone for one in audiences),
        tuple(dict.fromkeys(found for one in audiences for found in one.list_ids)),
        tuple(dict.fromkeys(found for one in audiences for found in one.group_ids)),
        label=first.label,
    )


def use_template(campaign_id: int, template: Template, *, actor: Actor, now: datetime) -> Campaign:
    """Put a template's newest words in the draft's language in place of its text."""
    campaign = _locked_draft(campaign_id)
    version = newest_version(template)
    campaign.body, campaign.template_version = version.body(campaign.language), version
    campaign.revision, campaign.saved_at, campaign.saved_by = campaign.revision + 1, now, actor.label
    campaign.saved_in, campaign.step = None, 0
    campaign.save()
    _forget_quote(campaign, now)
    note_use(version.id)
    return campaign


def delete_draft(campaign_id: int, *, actor: Actor, now: datetime) -> None:
    """Throw a draft away. Raises CampaignRefused where it is none any more."""
    campaign = Campaign.objects.select_for_update(no_key=True).get(id=campaign_id)
    if campaign.state != CampaignState.DRAFT:
        raise CampaignRefused("This campaign is under way: cancel it instead.")
    for outreach in campaign.outreaches.all():
        if is_live(newest_quote_job(outreach.id), now=now):
            raise CampaignRefused("Its price is being made at this moment. Try again in a minute.")
    audit(action="campaign.draft_deleted", subject=campaign, actor=actor, now=now, name=campaign.name)
    _dismiss_requests(campaign, now)
    QuoteChunk.objects.filter(outreach__campaign=campaign).delete()
    for outreach in campaign.outreaches.all():
        forget_exclusions(outreach.id, quote_id=UUID(int=0), others=True)
    campaign.outreaches.all().delete()
    campaign.delete()


def _draft_of(form_id: UUID, *, actor: Actor, now: datetime) -> tuple[Campaign, bool]:
    """The draft of a form, locked, and whether it was made just now: the second of two at once finds the first's."""
    campaign, created = Campaign.objects.get_or_create(
        organization_id=current_organization_id(),
        form_id=form_id,
        defaults={
            "sending_hours": [list(row) if row else None for row in ALWAYS],
            "created_at": now,
            "saved_at": now,
            "saved_by": actor.label,
        },
    )
    if created:
        audit(action="campaign.created", subject=campaign, actor=actor, now=now)
    return Campaign.objects.select_for_update(no_key=True).get(id=campaign.id), created


def _with_stored(content: DraftContent, campaign: Campaign, outreach: Outreach) -> DraftContent:
    """What cannot be read yet is left as it is stored."""
    stored: dict[str, Any] = {
        "body": campaign.body,
        "sending_hours": weekly_of(campaign.sending_hours),
        "hourly_limit": campaign.hourly_limit,
        "starts_at": outreach.starts_at,
        "ends_at": outreach.ends_at,
        "audience": outreach.audience,
    }
    return replace(content, **{name: stored[name] for name in content.unreadable})


def _write(campaign: Campaign, content: DraftContent) -> None:
    campaign.name, campaign.program, campaign.sender_number = content.name, content.program, content.number
    campaign.body, campaign.opt_out_word = content.body.replace("\r\n", "\n"), content.opt_out_word
    campaign.plain_characters = content.plain_characters
    campaign.description, campaign.language = content.description, content.language
    campaign.hourly_limit = content.hourly_limit
    campaign.sending_hours = [list(row) if row else None for row in content.sending_hours]


def _comparable(content: DraftContent) -> tuple[object, ...]:
    return (
        content.name,
        content.program.id if content.program else None,
        content.number.id if content.number else None,
        content.body.replace("\r\n", "\n"),
        content.opt_out_word,
        content.plain_characters,
        content.description,
        content.language,
        [list(row) if row else None for row in content.sending_hours],
        content.hourly_limit,
        content.audience.everyone,
        sorted(content.audience.list_ids),
        sorted(content.audience.group_ids),
        content.audience.import_id,
        content.audience.label,
        content.starts_at,
        content.ends_at,
    )


def _held_by(campaign: Campaign, outreach: Outreach) -> tuple[object, ...]:
    return (
        campaign.name,
        campaign.program_id,
        campaign.sender_number_id,
        campaign.body,
        campaign.opt_out_word,
        campaign.plain_characters,
        campaign.description,
        campaign.language,
        campaign.sending_hours,
        campaign.hourly_limit,
        outreach.everyone,
        sorted(outreach.list_ids),
        sorted(outreach.group_ids),
        outreach.import_id,
        outreach.phone_label,
        outreach.starts_at,
        outreach.ends_at,
    )


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
    check_times(starts_at, ends_at, now=now)
    outreach: Outreach = Outreach.objects.create(
        organization_id=campaign.organization_id,
        campaign=campaign,
        everyone=audience.everyone,
        list_ids=list(audience.list_ids),
        group_ids=list(audience.group_ids),
        import_id=audience.import_id,
        phone_label=audience.label,
        starts_at=starts_at,
        ends_at=ends_at,
    )
    audit(action="outreach.added", subject=outreach, actor=actor, now=now, campaign=campaign.id)
    return outreach


def remove_outreach(outreach_id: int, *, actor: Actor, now: datetime) -> None:
    """Take back an audience that nobody has confirmed. Raises CampaignRefused."""
    campaign = Campaign.objects.select_for_update(no_key=True).get(outreaches=outreach_id)
    outreach = Outreach.objects.select_for_update(no_key=True).get(id=outreach_id)
    if outreach.state not in UNCONFIRMED or not campaign.outreaches.exclude(id=outreach_id).exists():
        raise CampaignRefused(
            "This audience is being texted, or was: it cannot be taken back. Cancel the rest instead."
        )
    if is_live(newest_quote_job(outreach_id), now=now):
        raise CampaignRefused("Its price is being made at this moment. Try again in a minute.")
    audit(action="outreach.removed", subject=outreach, actor=actor, now=now, campaign=campaign.id)
    QuoteChunk.objects.filter(outreach_id=outreach_id).delete()
    forget_exclusions(outreach_id, quote_id=UUID(int=0), others=True)
    for url in (review_url(outreach), reverse("campaigns:outreach", args=[campaign.id, outreach_id])):
        dismiss_notices_of(url, now=now)
    outreach.delete()


def use_upload(
    campaign_id: int,
    brought: Import,
    *,
    starts_at: datetime | None,
    ends_at: datetime | None,
    actor: Actor,
    now: datetime,
) -> Outreach:
    """Text the people of a file: they are a draft's audience, and one more of a campaign that runs or ran.

    Raises CampaignRefused. The same file again is the outreach that it is already.
    """
    campaign = Campaign.objects.select_for_update(no_key=True).get(id=campaign_id)
    apart = brought.existing == Existing.APART
    lists = () if apart or brought.contact_list_id is None else (brought.contact_list_id,)
    audience = Audience(False, lists, import_id=brought.id if apart else None)
    if apart and brought.id not in campaign.upload_ids:
        campaign.upload_ids = [*campaign.upload_ids, brought.id]
        campaign.save(update_fields=["upload_ids"])
    known: Outreach | None = campaign.outreaches.filter(
        list_ids=list(lists), import_id=audience.import_id, everyone=False, group_ids=[]
    ).first()
    if known is not None:
        return known
    if campaign.state != CampaignState.DRAFT:
        return add_outreach(campaign, audience, actor=actor, now=now, starts_at=starts_at, ends_at=ends_at)
    outreach: Outreach = campaign.outreaches.select_for_update(no_key=True).order_by("id")[0]
    outreach.everyone, outreach.list_ids, outreach.group_ids = False, list(lists), []
    outreach.import_id, outreach.starts_at, outreach.ends_at = audience.import_id, starts_at, ends_at
    outreach.phone_label = audience.label  # what the file brings is the phone to text
    outreach.save()
    campaign.revision, campaign.saved_at, campaign.saved_by = campaign.revision + 1, now, actor.label
    campaign.saved_in, campaign.step = None, 0
    campaign.save()
    _forget_quote(campaign, now)
    return outreach


def _check_body(campaign: Campaign, limit: int) -> None:
    if not campaign.body.strip():
        raise CampaignRefused("Write the text first: it is empty.", field="body")
    try:
        length = len(typed_text(campaign))
    except TemplateError as error:
        raise CampaignRefused(str(error), field="body") from error
    if length > limit:
        raise CampaignRefused(
            f"The text has {length} characters with its way out; {limit} are allowed. Shorten it by {length - limit}.",
            field="body",
        )
