"""What a draft would look like and cost, while it is typed: the same writer as the quote, for a few people."""

from dataclasses import dataclass
from datetime import datetime

from django.core.cache import cache

from accounts.models import Organization
from audiences.queries import Audience, audience_size, candidates
from billing.rules.pricing import credits_for
from campaigns.actions.texts import Writer, Written, look_of, opt_out_word_of, typed_text, writer_for
from campaigns.models import Outreach
from common.tenancy import current_organization_id
from contacts.queries import contact_names
from content.rules.rendering import TemplateError, with_way_out
from content.rules.segments import measure

LOOKED_AT = 20


@dataclass(frozen=True, slots=True)
class Preview:
    """`person` is whose text it is (empty: nobody of the first few gets one), `place` of `people` who could be shown.

    `credits_each` and `credits` are for this text and for everybody in the audience: the quote is the exact figure.
    """

    text: str
    person: str
    place: int
    people: int
    characters: int
    characters_left: int
    encoding: str
    segments: int
    credits_each: int
    audience: int
    credits: int
    fault: str = ""


def preview(outreach: Outreach, *, place: int, now: datetime) -> Preview:
    """The text for one of the first people of the audience, by `place` from 0 (beyond the last: the first again)."""
    campaign = outreach.campaign
    organization = Organization.objects.get(id=outreach.organization_id)
    audience = outreach.audience
    size = _about(audience)
    raw = with_way_out(campaign.body, opt_out_word_of(campaign)) if campaign.body else ""
    try:
        length = len(typed_text(campaign)) if campaign.body else 0
        writer = writer_for(outreach, now=now)
    except TemplateError as error:
        return Preview(
            text=raw,
            person="",
            place=0,
            people=0,
            characters=len(raw),
            characters_left=organization.message_char_limit - len(raw),
            encoding="",
            segments=0,
            credits_each=0,
            audience=size,
            credits=0,
            fault=str(error),
        )
    shown = _texts(writer, outreach) if raw else []
    person, text = shown[place % len(shown)] if shown else ("", raw)
    measured = measure(text)
    each = credits_for(writer.basis, segments=measured.segments)
    return Preview(
        text=text,
        person=person,
        place=place % len(shown) if shown else 0,
        people=len(shown),
        characters=len(text),
        characters_left=organization.message_char_limit - length,
        encoding=measured.encoding,
        segments=measured.segments,
        credits_each=each,
        audience=size,
        credits=each * size,
    )


def _about(audience: Audience) -> int:
    """The size of an audience as it was within the last minute: it is asked for with every word that is typed."""
    key = f"audience:{current_organization_id()}:{audience.everyone}:{'-'.join(map(str, sorted(audience.list_ids)))}"
    size: int = cache.get_or_set(key, lambda: audience_size(audience), timeout=60) or 0
    return size


def _texts(writer: Writer, outreach: Outreach) -> list[tuple[str, str]]:
    """Name and text of those among the first people of the audience who would get one."""
    first = candidates(outreach.audience, look_of(outreach, writer), after_id=0, limit=LOOKED_AT)
    written = [result for result in map(writer.write, first) if isinstance(result, Written)]
    names = contact_names([text.draft.contact_id for text in written if text.draft.contact_id])
    return [(names.get(text.draft.contact_id or 0, text.draft.phone), text.draft.body) for text in written]
