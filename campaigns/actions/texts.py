"""One person's text of a campaign: rendered, measured, priced. Quote and launch both come here (law 6)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from accounts.models import Organization
from accounts.queries import current_organization
from audiences.actions import LeftOut
from audiences.queries import Candidate, Look
from audiences.rules.exclusions import Reason
from billing.queries import current_basis
from billing.rules.pricing import Basis, credits_for
from campaigns.models import Campaign, Outreach
from campaigns.queries import calendar_of
from campaigns.rules.hours import ANY_HOUR, Calendar
from campaigns.rules.states import CampaignState
from consent.rules.places import place_of
from consent.rules.windows import Window
from contacts.queries import custom_field_keys
from content.rules.plain import Plain, plainly
from content.rules.rendering import MissingValue, Template, compile_template, with_way_out
from content.rules.segments import measure
from messaging.actions.queueing import Draft
from messaging.queries import link_base
from messaging.rules.digests import digest_of
from messaging.rules.kinds import CAP_DAYS
from messaging.rules.links import placeholders, short_url
from senders.rules.names import NOT_REACHED

REMEMBERED = 65_536
"""Places whose hours a writer keeps in mind: it forgets them all when there are more."""


class Written(NamedTuple):
    """A person's text, the bucket of hours that it goes in, and the segments that plain characters save of it."""

    draft: Draft
    bucket: str
    saved_segments: int


class Writer:
    """Writes the texts of one outreach; what is the same for everybody is looked up once."""

    def __init__(
        self,
        outreach: Outreach,
        *,
        template: Template,
        organization: Organization,
        basis: Basis,
        calendar: Calendar,
        plain: bool,
        media: bool,
        by_name: bool,
        link_base: str,
        now: datetime,
    ) -> None:
        self.template, self.basis, self.link_base, self.media = template, basis, link_base, media
        self._media_key = "" if not media else "\0" + ",".join(map(str, outreach.campaign.media_ids))
        self._beyond = NOT_REACHED if by_name else ()
        self.plain, self._limit = plain, organization.message_char_limit
        self._organization, self._calendar, self.promotional = organization, calendar, calendar.promotional
        self._starts, self._ends_at = max(outreach.starts_at or now, now), outreach.ends_at
        self.any_hour = calendar.any_hour
        self._placeholders = placeholders(link_base, len(template.links))
        self._windows: dict[str, Window | None] = {}
        self._reasons: dict[str, Reason | None] = {
            ANY_HOUR: Reason.OUTSIDE_PERIOD if self._ends_at is not None and self._ends_at <= now else None
        }
        self._buckets: dict[tuple[object, ...], str] = {}

    def write(self, candidate: Candidate, codes: Sequence[str] = ()) -> Written | LeftOut:
        """The text of one person, or the first reason why not.

        `codes` are of the person's short links; without them others of their length stand in their place, and measure
        and digest are the same.
        """
        contact_id, phone, reason, values, home = candidate
        if reason:
            return LeftOut(contact_id, phone, Reason(reason))
        if phone.startswith(self._beyond):
            return LeftOut(contact_id, phone, Reason.NO_NAMES)
        template = self.template
        try:
            links = tuple(short_url(self.link_base, code) for code in codes) if codes else self._placeholders
            body = template.fill(values, links)
        except MissingValue as missing:
            return LeftOut(contact_id, phone, Reason.MISSING_VALUE, missing.tag)
        if len(body) > self._limit:
            return LeftOut(contact_id, phone, Reason.TOO_LONG, f"{len(body)} characters")
        body, measured, saved = self.written(body)
        bucket = ANY_HOUR if self.any_hour else self._bucket(phone, home)
        why_not = self._reasons[bucket] if bucket in self._reasons else self._judged(bucket)
        if why_not is not None:
            return LeftOut(contact_id, phone, why_not)
        encoding, _, segments = measured
        digest = digest_of((template.fill(values) if template.links else body) + self._media_key)
        credits = credits_for(self.basis, segments=segments, media=self.media)
        return Written(Draft(phone, body, encoding, segments, credits, digest, contact_id), bucket, saved)

    @property
    def fingerprint(self) -> int:
        """What every text is made of: another one gives other texts, whoever they are for."""
        return digest_of(repr((self.template, self.plain, self._limit, self._media_key)))

    def written(self, typed: str) -> Plain:
        """A text as it is sent: plainly where that was chosen and is no dearer. Without the choice the saving is what

        it would be. With pictures it is one message to the carrier, of any length: nothing is changed then.
        """
        if self.media:
            return Plain(typed, measure(typed)._replace(segments=1), 0)
        plain = plainly(typed, at_most=self._limit)
        if self.plain or plain.text == typed:
            return plain
        return Plain(typed, measure(typed), plain.saved_segments)

    def typed(self, candidate: Candidate | None) -> str:
        """Somebody's text before anything is written plainly; None: of whom nothing is known. Raises MissingValue."""
        if candidate is None:
            return self.template.with_fallbacks(self._placeholders)
        return self.template.fill(candidate.values, self._placeholders)

    def window(self, bucket: str) -> Window | None:
        """The bucket's next window; None: there is none. Not for ANY_HOUR."""
        if bucket not in self._windows:
            self._windows[bucket] = self._calendar.window(bucket, self._starts)
        return self._windows[bucket]

    def _bucket(self, phone: str, home: tuple[str, ...]) -> str:
        # What follows the exchange of a +1 number tells nothing about its place.
        key = (phone[:8] if phone.startswith("+1") else phone, *home)
        bucket = self._buckets.get(key)
        if bucket is None:
            zone, region, postcode, country = home
            country = country or self._organization.default_country
            bucket = place_of(zone=zone, region=region, postcode=postcode, country=country, phone=phone).key
            if len(self._buckets) >= REMEMBERED:
                self._buckets.clear()
            self._buckets[key] = bucket
        return bucket

    def _judged(self, bucket: str) -> Reason | None:
        window = self.window(bucket)
        reason = None
        if window is None:
            reason = Reason.NO_LAWFUL_HOUR
        elif self._ends_at is not None and max(window[0], self._starts) >= self._ends_at:
            reason = Reason.OUTSIDE_PERIOD
        self._reasons[bucket] = reason
        return reason


def writer_for(outreach: Outreach, *, now: datetime) -> Writer:
    """Raises TemplateError where the text cannot be read."""
    campaign, organization = outreach.campaign, current_organization()
    return Writer(
        outreach,
        template=template_of(campaign),
        organization=organization,
        basis=current_basis(),
        calendar=calendar_of(campaign, now=now),
        plain=campaign.plain_characters,
        media=bool(campaign.media_ids),
        by_name=campaign.sent_by_name,
        link_base=link_base(),
        now=now,
    )


def opt_out_word_of(campaign: Campaign) -> str:
    """The campaign's own word to stop, else the organization's."""
    return campaign.opt_out_word or str(current_organization().opt_out_word)


def whole_text(campaign: Campaign) -> str:
    """The text as it was written, with its way out."""
    return with_way_out(campaign.body, opt_out_word_of(campaign), by_link=campaign.sent_by_name)


def template_of(campaign: Campaign) -> Template:
    """A campaign's text with its way out, compiled. Raises TemplateError."""
    organization = current_organization()
    return compile_template(
        whole_text(campaign),
        custom_fields=custom_field_keys(),
        constants={"organization": organization.name},
    )


def typed_text(campaign: Campaign) -> str:
    """The text of somebody of whom nothing is known, as it is typed: what the limit of characters is held against.

    Plain characters count as what they stand for: they are not written where that would pass the limit. Raises
    TemplateError.
    """
    template = template_of(campaign)
    return template.with_fallbacks(placeholders(link_base(), len(template.links)))


def look_of(outreach: Outreach, writer: Writer, *, now: datetime) -> Look:
    """What the writer has to know of each person."""
    return Look(
        program_id=outreach.campaign.program_id or 0,
        campaign_id=outreach.campaign_id,
        fields=writer.template.fields,
        label=outreach.phone_label,
        homes=not writer.any_hour,
        # One that has no other outreach has texted nobody; written twice, the unique key refuses.
        texted=outreach.campaign.state != CampaignState.DRAFT
        and outreach.campaign.outreaches.exclude(id=outreach.id).exists(),
        since=now - timedelta(days=CAP_DAYS),
    )
