"""Launching: the quote's credits are held, then its messages are written, a thousand at a time."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from celery import current_app
from django.db import transaction
from django.db.models import F, QuerySet

from accounts.actions import audit, dismiss_notices_of, notify
from accounts.models import Notice
from accounts.queries import current_organization
from accounts.rules.permissions import Permission
from audiences.actions import LeftOut, note_exclusions
from audiences.queries import Candidate, Pages, candidates_by_id
from audiences.rules.exclusions import Reason
from billing.actions import close_reservation, reserve
from billing.queries import reservation
from campaigns.actions.drafts import check_ready
from campaigns.actions.texts import Writer, look_of, opt_out_word_of, writer_for
from campaigns.models import Campaign, Outreach, QuoteChunk
from campaigns.queries import calendar_of, review_url, whom_words
from campaigns.rules.hours import ANY_HOUR
from campaigns.rules.states import CampaignState, OutreachState
from common import clock
from common.actor import SYSTEM, Actor
from common.errors import DomainError
from common.sql import hold
from common.tenancy import organization_scope
from consent.actions import remember_stop_word
from events.actions import publish
from messaging.actions.links import Given, give_links, links_of_campaign, new_codes
from messaging.actions.queueing import Draft, queue_messages
from messaging.actions.streams import Hours, open_stream
from messaging.models import Link, Stream, StreamState
from messaging.rules.kinds import TextKind
from senders.models import NumberStatus

WRITERS = 2
"""Workers that write one large launch at once."""

FEW = 5_000
"""Recipients that one worker writes alone."""


class LaunchRefused(DomainError):
    code = "launch_refused"


class ApprovalNeeded(LaunchRefused):
    """So many people need the approval of a second person, who has not given it yet."""

    code = "approval_needed"


def confirm_outreach(outreach_id: int, *, quote_id: UUID, actor: Actor, now: datetime) -> Outreach:
    """What the button does: launch or schedule it, or ask for a second person where the organization wants one.

    Raises what those raise.
    """
    outreach = _locked(outreach_id)
    if _needs_another(outreach, actor) and outreach.state == OutreachState.QUOTED:
        _check(outreach, quote_id, now)
        return _ask(outreach, actor=actor, now=now)
    confirm = schedule_outreach if outreach.starts_at else launch_outreach
    return confirm(outreach_id, quote_id=quote_id, actor=actor, now=now)


def withdraw_request(outreach_id: int, *, actor: Actor, now: datetime) -> Outreach:
    """Take back that a second person was asked; nothing changes where nobody was."""
    outreach = _locked(outreach_id)
    if outreach.state == OutreachState.AWAITING_APPROVAL:
        outreach.state, outreach.asked_by_id, outreach.asked_at = OutreachState.QUOTED, None, None
        outreach.save(update_fields=["state", "asked_by_id", "asked_at"])
        audit(action="outreach.approval_withdrawn", subject=outreach, actor=actor, now=now)
        dismiss_notices_of(review_url(outreach), now=now)
    return outreach


def _needs_another(outreach: Outreach, actor: Actor) -> bool:
    """Whether this person alone may not send it (domain.md, Roles)."""
    above = current_organization().approval_above
    if actor is SYSTEM or above is None or outreach.recipients <= above or outreach.approved_by:
        return False
    return outreach.state != OutreachState.AWAITING_APPROVAL or actor.user_id in (None, outreach.asked_by_id)


def _ask(outreach: Outreach, *, actor: Actor, now: datetime) -> Outreach:
    outreach.state, outreach.asked_by_id, outreach.asked_at = OutreachState.AWAITING_APPROVAL, actor.user_id, now
    outreach.save(update_fields=["state", "asked_by_id", "asked_at"])
    audit(action="outreach.approval_asked", subject=outreach, actor=actor, now=now, quote=str(outreach.quote_id))
    notify(
        tone=Notice.Tone.TO_DO,
        text=f"{actor.label} asks for your approval: “{outreach.campaign.name}” to {outreach.recipients:,} people "
        f"({whom_words([outreach])[outreach.id][:120]}).",
        url=review_url(outreach),
        permission=Permission.CAMPAIGNS_CREATE,
        now=now,
    )
    return outreach


def launch_outreach(outreach_id: int, *, quote_id: UUID, actor: Actor, now: datetime) -> Outreach:
    """Send what the quote says. The same quote launched again changes nothing: the second click is the first.

    Raises LaunchRefused or NotEnoughCredits; then nothing is changed.
    """
    outreach = _locked(outreach_id)
    if outreach.state in (OutreachState.OPEN, OutreachState.PAUSED, OutreachState.CLOSED):
        if outreach.quote_id == quote_id:
            return outreach
        raise LaunchRefused("This outreach was launched with another quote. Look at its progress instead.")
    _check(outreach, quote_id, now)
    _check_approval(outreach, actor, now)
    return _open(outreach, actor=actor, now=now)


def schedule_outreach(
    outreach_id: int, *, quote_id: UUID, actor: Actor, now: datetime, ceiling: int | None = None
) -> Outreach:
    """Start at the outreach's own time, at no more than `ceiling` credits (the quote's, unless given), held now."""
    outreach = _locked(outreach_id)
    if outreach.state == OutreachState.SCHEDULED and outreach.quote_id == quote_id:
        return outreach
    if outreach.starts_at is None or outreach.starts_at <= now:
        raise LaunchRefused("The start lies in the past. Choose a later time, or send now.")
    if outreach.state not in (OutreachState.QUOTED, OutreachState.AWAITING_APPROVAL, OutreachState.SCHEDULED):
        raise LaunchRefused("This outreach is under way already. Add a new one with its own start.")
    _check(outreach, quote_id, now)
    _check_approval(outreach, actor, now)
    outreach.ceiling = outreach.credits if ceiling is None else ceiling
    outreach.reservation_id = _hold(outreach, credits=outreach.ceiling, actor=actor, now=now)
    outreach.state = OutreachState.SCHEDULED
    outreach.save()
    if outreach.campaign.state in (CampaignState.DRAFT, CampaignState.COMPLETED):
        Campaign.objects.filter(id=outreach.campaign_id).update(state=CampaignState.SCHEDULED)
    audit(action="outreach.scheduled", subject=outreach, actor=actor, now=now, ceiling=outreach.ceiling)
    return outreach


def start_scheduled(outreach_id: int, *, actor: Actor, now: datetime) -> bool:
    """Start a scheduled outreach whose time has come and whose new quote is ready; False: it costs too much now."""
    outreach = _locked(outreach_id)
    if outreach.state != OutreachState.SCHEDULED:
        return False
    if outreach.ceiling is not None and outreach.credits > outreach.ceiling:
        _hold_back(outreach, "it costs more than the ceiling now", actor=actor, now=now)
        return False
    _open(outreach, actor=actor, now=now)
    return True


def hold_back(outreach_id: int, *, why: str, actor: Actor, now: datetime) -> None:
    """A scheduled start that cannot happen: the outreach waits for a person again, and holds no credits."""
    outreach = _locked(outreach_id)
    if outreach.state == OutreachState.SCHEDULED:
        _hold_back(outreach, why, actor=actor, now=now)


def write_messages(*, organization_id: int, outreach_id: int, now: datetime, part: int | None = None) -> None:
    """Write the quoted messages into their streams; opens a scope for each thousand. Running it again goes on.

    Several may run at once, each with its `part` of WRITERS: it begins with its own chunks, then takes what is left.
    """
    with organization_scope(organization_id):
        outreach = Outreach.objects.select_related("campaign__program", "campaign__sender_number").get(id=outreach_id)
        writer = writer_for(outreach, now=now)
        look = look_of(outreach, writer, now=now)
        links = links_of_campaign(outreach.campaign_id, writer.template.links, now=now)
    streams: dict[str, Stream] = {}
    newest = -1
    ahead: dict[int, dict[int, Candidate]] = {}  # by chunk: its people, read while the one before was rendered
    with Pages(look) as pages:
        while True:
            with organization_scope(organization_id):
                # Shared by the writers; who pauses or cancels waits for the chunks at work, and nobody overtakes them.
                hold(writing_lock(outreach_id), shared=True)
                state = Outreach.objects.values_list("state", flat=True).get(id=outreach_id)
                if state == OutreachState.CLOSED:
                    return
                chunk = _unwritten(outreach, newest, part).select_for_update(**_NOBODYS).first()
                if chunk is not None:
                    newest = chunk.sequence
                    people = ahead.get(chunk.id) or candidates_by_id(chunk.contact_ids, look)
                    following = _unwritten(outreach, newest, part).only("id", "contact_ids").first()
                    reading = pages.ask_by_id(following.contact_ids) if following is not None else None
                    paused = StreamState.PAUSED if state == OutreachState.PAUSED else StreamState.OPEN
                    _write_chunk(chunk, people, outreach, writer, links, streams, paused, now)
                    ahead = {following.id: reading()} if following is not None and reading is not None else {}
                elif newest >= 0 or part is not None:
                    newest, part = -1, None  # once more from the start: another writer may have left some behind
                else:
                    break
    with organization_scope(organization_id):
        # Who finds the last one written says so; a chunk that another is writing is not written yet.
        if not _unwritten(outreach, -1, None).exists():
            Outreach.objects.filter(id=outreach_id, written_at=None).update(written_at=now)


def writing_lock(outreach_id: int) -> str:
    """The name of the lock that the writers of an outreach share, and whoever changes its state holds alone."""
    return f"writing:{outreach_id}"


_NOBODYS: dict[str, Any] = {"no_key": True, "skip_locked": True, "of": ("self",)}
"""Locks a row that nobody else is at."""


def _unwritten(outreach: Outreach, after: int, part: int | None) -> QuerySet[QuoteChunk]:
    """The chunks of the quote that nobody has written, in order; None: of every part."""
    found = outreach.chunks.filter(quote_id=F("outreach__quote_id"), written_at=None, sequence__gt=after)
    if part is not None:
        found = found.annotate(part=F("sequence") % WRITERS).filter(part=part)
    return found.order_by("sequence")


def _check_approval(outreach: Outreach, actor: Actor, now: datetime) -> None:
    """Raises ApprovalNeeded, or notes who approves."""
    if _needs_another(outreach, actor):
        raise ApprovalNeeded(
            f"So many people need a second person's approval. Ask a colleague to open this page and approve "
            f"{outreach.recipients:,} messages."
        )
    if outreach.state == OutreachState.AWAITING_APPROVAL and actor.user_id != outreach.asked_by_id:
        outreach.approved_by = actor.label
        audit(action="outreach.approved", subject=outreach, actor=actor, now=now, quote=str(outreach.quote_id))
        dismiss_notices_of(review_url(outreach), now=now)


def _check(outreach: Outreach, quote_id: UUID, now: datetime) -> None:
    if outreach.quote_id != quote_id:
        raise LaunchRefused("The quote has changed since you saw it. Look at the new one and confirm again.")
    if outreach.starts_at is not None and outreach.starts_at <= now and outreach.state != OutreachState.SCHEDULED:
        raise LaunchRefused("The start lies in the past. Choose a later time, or send now.")
    if outreach.ends_at is not None and outreach.ends_at <= now:
        raise LaunchRefused("The end has passed meanwhile: nobody would get the text. Choose a later end, or none.")
    check_ready(outreach.campaign)
    number = outreach.campaign.whole_number
    if number.status != NumberStatus.REGISTERED:
        raise LaunchRefused(
            f"The number {number} is not registered yet. Register it under Numbers, or choose another number."
        )
    if writer_for(outreach, now=now).fingerprint != outreach.fingerprint:
        raise LaunchRefused(
            "Your organization's settings changed since this price was made. Go back to the text and review it again."
        )
    if not outreach.recipients:
        raise LaunchRefused("Nobody is left to text: see who is left out and why, and change the audience.")
    if outreach.campaign.state in (CampaignState.CANCELED, CampaignState.FAILED):
        raise LaunchRefused("This campaign was canceled. Duplicate it to send the text again.")


def _open(outreach: Outreach, *, actor: Actor, now: datetime) -> Outreach:
    campaign = outreach.campaign
    outreach.reservation_id = _hold(outreach, credits=outreach.credits, actor=actor, now=now)
    paused = campaign.state == CampaignState.PAUSED
    outreach.state, outreach.launched_at = OutreachState.PAUSED if paused else OutreachState.OPEN, now
    outreach.save()
    remember_stop_word(sender_number_id=campaign.whole_number.id, word=opt_out_word_of(campaign), now=now)
    if not paused:
        Campaign.objects.filter(id=campaign.id).update(state=CampaignState.SENDING, completed_at=None)
    audit(
        action="outreach.launched",
        subject=outreach,
        actor=actor,
        now=now,
        quote=str(outreach.quote_id),
        recipients=outreach.recipients,
        credits=outreach.credits,
    )
    request_writing(outreach)
    return outreach


def _hold(outreach: Outreach, *, credits: int, actor: Actor, now: datetime) -> int:
    """The id of a reservation that is large enough: the one made when scheduling, or a new one in its place."""
    if outreach.reservation_id is not None:
        held = reservation(outreach.reservation_id)
        if held.state == held.State.OPEN and held.credits >= credits:
            return held.id
        close_reservation(held.id, actor=actor, now=now)
    reference = f"{outreach.source}:{outreach.quote_id}:{credits}"
    return reserve(credits=credits, reference=reference, actor=actor, now=now).id


def _hold_back(outreach: Outreach, why: str, *, actor: Actor, now: datetime) -> None:
    if outreach.reservation_id is not None:
        close_reservation(outreach.reservation_id, actor=actor, now=now)
    audit(
        action="outreach.held_back",
        subject=outreach,
        actor=actor,
        now=now,
        why=why,
        ceiling=outreach.ceiling,
        credits=outreach.credits,
    )
    publish(kind="outreach.held_back", payload={"outreach_id": outreach.id, "why": why}, now=now)
    if actor is SYSTEM:
        notify(
            tone=Notice.Tone.TO_DO,
            text=f"“{outreach.campaign.name}” did not start: {why}",
            url=review_url(outreach),
            permission=Permission.CAMPAIGNS_CREATE,
            now=now,
        )
    outreach.state, outreach.reservation_id, outreach.ceiling = OutreachState.QUOTED, None, None
    outreach.asked_by_id, outreach.asked_at, outreach.approved_by = None, None, ""
    if actor is not SYSTEM:
        # The quote that was held is void: credits are held once for a quote. The clock has just made a new one.
        outreach.state, outreach.quote_id, outreach.quoted_at = OutreachState.DRAFT, uuid4(), None
    outreach.save()
    _settle_state(outreach.campaign, now)


def _settle_state(campaign: Campaign, now: datetime) -> None:
    """What a campaign is when one of its outreaches waits for a person again.

    A draft only where nothing of it was ever launched: its words could be changed otherwise.
    """
    states = set(campaign.outreaches.values_list("state", flat=True))
    if states & {OutreachState.OPEN, OutreachState.PAUSED, OutreachState.SCHEDULED}:
        return
    launched = campaign.outreaches.filter(launched_at__isnull=False).exists()
    under_way = (CampaignState.SCHEDULED, CampaignState.SENDING, CampaignState.PAUSED)
    Campaign.objects.filter(id=campaign.id, state__in=under_way).update(
        state=CampaignState.COMPLETED if launched else CampaignState.DRAFT,
        completed_at=(campaign.completed_at or now) if launched else None,
    )


def request_writing(outreach: Outreach) -> None:
    """Have workers write the messages, several where there are many; one too many finds the chunks written."""
    parts = range(WRITERS) if outreach.recipients > FEW else (None,)

    def send() -> None:
        for part in parts:
            arguments = [outreach.organization_id, outreach.id, part]
            current_app.send_task("campaigns.write_messages", arguments, expires=30)

    transaction.on_commit(send)


def _locked(outreach_id: int) -> Outreach:
    found = lock_outreach(outreach_id)
    assert found is not None  # nobody is skipped here
    return found


def lock_outreach(outreach_id: int, *, skip_locked: bool = False) -> Outreach | None:
    """Lock an outreach under its campaign: always the campaign first, so that no two actions wait in a circle.

    Both are read after the lock: a campaign that was canceled while this waited is seen canceled. None: someone else
    is at it, and `skip_locked` was asked for.
    """
    campaigns = Campaign.objects.select_for_update(no_key=True, of=("self",), skip_locked=skip_locked)
    campaign = (
        campaigns.select_related("sender_number", "program").filter(outreaches=outreach_id).order_by("id").first()
    )
    if campaign is None:
        return None
    hold(writing_lock(outreach_id))  # for the chunk at work at most: a launch goes on for minutes
    outreach = Outreach.objects.select_for_update(no_key=True).get(id=outreach_id)
    outreach.campaign = campaign
    return outreach


def _write_chunk(
    chunk: QuoteChunk,
    people: Mapping[int, Candidate],
    outreach: Outreach,
    writer: Writer,
    links: Sequence[Link],
    streams: dict[str, Stream],
    state: StreamState,
    now: datetime,
) -> None:
    campaign = outreach.campaign
    drafts: dict[str, list[Draft]] = defaultdict(list)
    left_out: list[LeftOut] = []
    codes: dict[str, tuple[str, ...]] = {}
    quoted = zip(chunk.contact_ids, chunk.phones, chunk.digests, chunk.segments, chunk.credits, strict=True)
    for contact_id, phone, digest, segments, credits in quoted:
        candidate = people.get(contact_id)
        if links:
            codes[phone] = new_codes(len(links))
        result = writer.write(candidate, codes.get(phone, ())) if candidate is not None else None
        if isinstance(result, LeftOut):
            left_out.append(result)
        elif result is None or not _as_quoted(result.draft, phone, digest, segments):
            left_out.append(LeftOut(contact_id, phone, Reason.CHANGED))
        else:
            # The price is that of the quote.
            draft = result.draft if result.draft.credits == credits else result.draft._replace(credits=credits)
            drafts[result.bucket].append(draft)
    for bucket, batch in sorted(drafts.items()):  # in one order, or two writers wait for each other's new streams
        if bucket not in streams:
            streams[bucket] = _stream(outreach, bucket, state, now)
        written = queue_messages(
            streams[bucket],
            batch,
            carrier_account_id=campaign.whole_number.carrier_account_id,
            campaign_id=campaign.id,
            now=now,
        )
        if links:
            give_links(
                links,
                [
                    Given(draft.contact_id or 0, draft.phone, codes[draft.phone])
                    for draft in batch
                    if draft.phone in written
                ],
            )
        # Another outreach of the campaign, written at the same moment, had them first.
        left_out += [
            LeftOut(draft.contact_id or 0, draft.phone, Reason.IN_OTHER_OUTREACH)
            for draft in batch
            if draft.phone not in written
        ]
    note_exclusions(outreach.id, left_out, quote_id=chunk.quote_id)
    chunk.written_at = clock.now()  # of this moment: who looks for a writer that died goes by it
    chunk.save(update_fields=["written_at"])


def _as_quoted(draft: Draft, phone: str, digest: int, segments: int) -> bool:
    """Whether it is the same text to the same phone at the same length: the links of another domain may be longer."""
    return draft.phone == phone and draft.digest == digest and draft.segments == segments


def _stream(outreach: Outreach, bucket: str, state: StreamState, now: datetime) -> Stream:
    campaign = outreach.campaign
    if bucket == ANY_HOUR:
        hours = Hours(open_from=outreach.starts_at)
    else:
        # Of this moment: days off may have changed since the writer began. None is closed until it is planned anew.
        window = calendar_of(campaign, now=now).window(bucket, max(outreach.starts_at or now, now))
        hours = Hours(*window) if window else Hours(open_until=now)
    return open_stream(
        number=campaign.whole_number,
        kind=TextKind.CAMPAIGN,
        source=outreach.source,
        bucket=bucket,
        program_id=campaign.whole_program.id,
        reservation_id=outreach.reservation_id,
        media_ids=campaign.media_ids,
        hourly_limit=campaign.hourly_limit,
        hourly_for=f"campaign:{campaign.id}" if campaign.hourly_limit else "",
        hours=replace(hours, ends_at=outreach.ends_at),
        state=state,
        now=now,
    )
