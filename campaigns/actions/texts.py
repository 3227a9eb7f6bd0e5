"""One person's text of a campaign: rendered, measured, priced. Quote and launch both come here (law 6)."""

from dataclasses import dataclass, field
from datetime import datetime

from accounts.models import Organization
from audiences.actions import LeftOut
from audiences.queries import Candidate
from audiences.rules.exclusions import Reason
from billing.queries import current_basis
from billing.rules.pricing import Basis, credits_for
from campaigns.models import Outreach
from campaigns.rules.hours import ANY_HOUR, weekly_of, window_of
from common.tenancy import current_organization_id
from consent.rules.lawful_hours import ALWAYS, Weekly
from consent.rules.media import Level
from consent.rules.places import place_of
from consent.rules.windows import Window
from content.rules.rendering import MissingValue, Template, compile_template, with_way_out
from content.rules.segments import measure
from messaging.actions.queueing import Draft
from messaging.rules.digests import digest_of


@dataclass(slots=True)
class Writer:
    """Writes the texts of one outreach; hours are looked up once for each bucket."""

    outreach: Outreach
    template: Template
    organization: Organization
    basis: Basis
    sending: Weekly
    promotional: bool
    now: datetime
    _windows: dict[str, Window | None] = field(default_factory=dict)

    def draft(self, candidate: Candidate) -> tuple[Draft, str] | LeftOut:
        """The text and bucket of one person, or the first reason why not."""
        reason, detail = self._why_not(candidate), ""
        if reason is None:
            try:
                body = self.template.render(candidate.values | {"organization": self.organization.name})
            except MissingValue as missing:
                reason, detail = Reason.MISSING_VALUE, missing.tag
        if reason is None and len(body) > self.organization.message_char_limit:
            reason, detail = Reason.TOO_LONG, f"{len(body)} characters"
        if reason is None:
            bucket = self._bucket(candidate)
            reason = self._no_hour(bucket)
        if reason is not None:
            return LeftOut(candidate.contact_id, candidate.phone, reason, detail)
        measured = measure(body)
        draft = Draft(
            phone=candidate.phone,
            body=body,
            encoding=measured.encoding,
            segments=measured.segments,
            credits=credits_for(self.basis, segments=measured.segments),
            digest=digest_of(body),
            contact_id=candidate.contact_id,
        )
        return draft, bucket

    def window(self, bucket: str) -> Window | None:
        """The bucket's next window; None: there is none. Not for ANY_HOUR."""
        if bucket not in self._windows:
            self._windows[bucket] = window_of(
                bucket,
                sending=self.sending,
                promotional=self.promotional,
                home_zone=self.organization.time_zone,
                now=self._starts(),
            )
        return self._windows[bucket]

    def _starts(self) -> datetime:
        return max(self.outreach.starts_at or self.now, self.now)

    def _why_not(self, candidate: Candidate) -> Reason | None:
        checks = (
            (not candidate.phone, Reason.NO_PHONE),
            (not candidate.textable, Reason.NOT_TEXTABLE),
            (candidate.opted_out, Reason.OPTED_OUT),
            (not candidate.consented, Reason.NO_CONSENT),
            (candidate.in_campaign, Reason.IN_OTHER_OUTREACH),
        )
        return next((reason for applies, reason in checks if applies), None)

    def _bucket(self, candidate: Candidate) -> str:
        if self.sending == ALWAYS and not self.promotional:
            return ANY_HOUR
        place = place_of(
            zone=candidate.time_zone,
            region=candidate.values["region"],
            postcode=candidate.values["postcode"],
            country=candidate.values["country"] or self.organization.default_country,
            phone=candidate.phone,
        )
        return place.key

    def _no_hour(self, bucket: str) -> Reason | None:
        ends_at = self.outreach.ends_at
        if bucket == ANY_HOUR:
            return Reason.OUTSIDE_PERIOD if ends_at is not None and ends_at <= self.now else None
        window = self.window(bucket)
        if window is None:
            return Reason.NO_LAWFUL_HOUR
        return Reason.OUTSIDE_PERIOD if ends_at is not None and max(window[0], self._starts()) >= ends_at else None


def writer_for(outreach: Outreach, *, now: datetime) -> Writer:
    campaign = outreach.campaign
    return Writer(
        outreach=outreach,
        template=compile_template(with_way_out(campaign.body, campaign.opt_out_word)),
        organization=Organization.objects.get(id=current_organization_id()),
        basis=current_basis(),
        sending=weekly_of(campaign.sending_hours),
        promotional=campaign.program is not None and campaign.program.level == Level.PROMOTIONAL,
        now=now,
    )
