"""What a draft would look like and cost, while it is typed: the same writer as the quote, for a few people."""

from dataclasses import dataclass, field
from datetime import datetime

from accounts.queries import current_organization
from audiences.queries import Counted, audience_size, candidates_by_id, first_candidates
from audiences.rules.conditions import GroupRefused
from billing.rules.pricing import Basis, credits_for
from campaigns.actions.texts import Writer, Written, look_of, typed_text, whole_text, writer_for
from campaigns.models import Outreach, QuoteChunk
from contacts.queries import contact_names
from content.rules.plain import Costly, Piece, changes, costly_characters, plainly, without_costly
from content.rules.rendering import TemplateError, outside_tags
from content.rules.segments import Measurement

LOOKED_AT = 50
"""The first people of the audience, among whom one leafs."""


@dataclass(frozen=True, slots=True)
class Expense:
    """What makes a text dear: characters that are not plain.

    `typed` are those of the text itself with their places in it, `theirs` those of the person's own values. Each saving
    is in segments of this text; `saved` is what plain characters save or would save, `left` what could be saved by
    leaving out the characters that have no plain form.
    """

    typed: tuple[Costly, ...] = ()
    theirs: tuple[Costly, ...] = ()
    saved: int = 0
    left: int = 0
    credits_saved: int = 0
    credits_left: int = 0

    @property
    def characters(self) -> tuple[Costly, ...]:
        return self.typed + self.theirs


@dataclass(frozen=True, slots=True)
class Preview:
    """`person` is whose text it is (empty: nobody of the first few gets one), `place` of `people` who could be shown.

    `pieces` are the text, with what plain characters changed in it. `credits_each` and `credits` are for this text and
    for everybody in the `audience`: the quote is the exact figure. `about`: so is the audience.
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
    about: bool = False
    pieces: tuple[Piece, ...] = ()
    longest: int = 0
    dearest: int = 0
    expense: Expense = field(default_factory=Expense)
    fault: str = ""


@dataclass(frozen=True, slots=True)
class _Shown:
    """Somebody's text as typed and as written."""

    person: str
    typed: str
    written: str
    measured: Measurement


def preview(outreach: Outreach, *, place: int, now: datetime) -> Preview:
    """The text for one of the first people of the audience, by `place` from 0 (beyond the last: the first again)."""
    campaign = outreach.campaign
    limit = current_organization().message_char_limit
    raw, size = whole_text(campaign) if campaign.body else "", Counted(0, True)
    try:
        size = audience_size(outreach.audience, now=now)
        length = len(typed_text(campaign)) if campaign.body else 0
        writer = writer_for(outreach, now=now)
    except (TemplateError, GroupRefused) as error:
        return Preview(
            text=raw,
            person="",
            place=0,
            people=0,
            characters=len(raw),
            characters_left=limit - len(raw),
            encoding="",
            segments=0,
            credits_each=0,
            audience=size.people,
            credits=0,
            about=not size.exact,
            pieces=(Piece(raw, ""),),
            fault=str(error),
        )
    found = _texts(writer, outreach, size, now) if raw else []
    place = place % len(found) if found else 0
    shown = found[place] if found else _of_nobody(writer, raw)
    told = not writer.media and length <= limit
    each = credits_for(writer.basis, segments=shown.measured.segments, media=writer.media)
    return Preview(
        text=shown.written,
        person=shown.person,
        place=place,
        people=len(found),
        characters=len(shown.written),
        characters_left=limit - length,
        encoding=shown.measured.encoding,
        segments=shown.measured.segments,
        credits_each=each,
        audience=size.people,
        credits=each * size.people,
        about=not size.exact,
        pieces=tuple(changes(shown.typed, at_most=limit))
        if writer.plain and not writer.media
        else (Piece(shown.written, ""),),
        longest=max(range(len(found)), key=lambda at: len(found[at].written), default=0),
        dearest=max(range(len(found)), key=lambda at: found[at].measured.segments, default=0),
        expense=_expense(campaign.body, shown, writer.basis, size.people) if told else Expense(),
    )


@dataclass(frozen=True, slots=True)
class Example:
    """One person's text of a quote."""

    person: str
    text: str
    encoding: str
    segments: int
    credits: int


def example_of(outreach: Outreach, name: str, *, now: datetime) -> Example | None:
    """The longest or dearest text of a quote (`longest`, `dearest`), else the first; None: nobody gets one."""
    writer = writer_for(outreach, now=now)
    look = look_of(outreach, writer, now=now)
    wanted = outreach.examples.get(name)
    people = candidates_by_id([wanted] if wanted else _first_quoted(outreach), look).values()
    written = next((text for text in map(writer.write, people) if isinstance(text, Written)), None)
    if written is None:
        return None
    draft = written.draft
    person = contact_names([draft.contact_id or 0]).get(draft.contact_id or 0, draft.phone)
    return Example(person, draft.body, draft.encoding, draft.segments, draft.credits)


def _first_quoted(outreach: Outreach) -> list[int]:
    """The first recipients of the quote."""
    if outreach.quote_id is None:
        return []
    chunks = QuoteChunk.objects.filter(outreach_id=outreach.id, quote_id=outreach.quote_id, sequence=0)
    return [one for ids in chunks.values_list("contact_ids", flat=True) for one in ids[:LOOKED_AT]]


def _texts(writer: Writer, outreach: Outreach, size: Counted, now: datetime) -> list[_Shown]:
    """Of those among the first people of the audience who would get a text."""
    look = look_of(outreach, writer, now=now)
    first = first_candidates(outreach.audience, look, limit=LOOKED_AT, size=size, now=now)
    written = [(person, result) for person in first if isinstance(result := writer.write(person), Written)]
    names = contact_names([person.contact_id for person, _ in written])
    return [
        _Shown(
            names.get(person.contact_id, person.phone),
            writer.typed(person),
            result.draft.body,
            writer.written(result.draft.body).measured,
        )
        for person, result in written
    ]


def _of_nobody(writer: Writer, raw: str) -> _Shown:
    """The text of somebody of whom nothing is known, where there is nobody to show."""
    typed = writer.typed(None) if raw else ""
    written = writer.written(typed)
    return _Shown("", typed, written.text, written.measured)


def _expense(body: str, shown: _Shown, basis: Basis, size: int) -> Expense:
    everything = costly_characters(shown.typed)
    if not everything:
        return Expense()
    typed = costly_characters(outside_tags(body))
    known = {one.character for one in typed}
    plain = plainly(shown.typed)
    saved = plain.saved_segments
    left = plain.measured.segments - without_costly(shown.typed).segments
    price = size if basis is Basis.SEGMENT else 0
    return Expense(
        typed=tuple(typed),
        theirs=tuple(one for one in everything if one.character not in known),
        saved=saved,
        left=max(left, 0),
        credits_saved=saved * price,
        credits_left=max(left, 0) * price,
    )
