"""Templates of texts: tags, links and words, nothing that could execute.

`{{ tag }}`, `{{ tag|fallback }}`, `{{ link|https://... }}` and `{{ stop_link }}` are all there is. A template is
compiled once; a person's text is the fixed words with that person's values between them. Values are never read as
templates.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from urllib.parse import urlsplit

TAGS = (
    *("first_name", "last_name", "phone", "email", "company"),
    *("city", "region", "postcode", "country", "organization"),
)
LINK = "link"
STOP_LINK = "stop_link"
"""Each person's own address of the page where they say that they want no more texts."""

CUSTOM = "custom."
"""What the tags of an organization's own fields begin with."""

MOST_LINKS = 5
LONGEST_LINK = 2000

_TAG = re.compile(r"\{\{([^{}|]*)(?:\|([^{}]*))?\}\}")
_STOPS = re.compile(rf"\{{\{{\s*{STOP_LINK}\s*(?:\|[^{{}}]*)?\}}\}}")
_BRACES = re.compile(r"\{\{|\}\}")


class TemplateError(ValueError):
    """The template cannot be read. `position` counts characters from 0; the words count from 1, as people do."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} (at character {position + 1})")
        self.position = position


class MissingValue(LookupError):
    """A recipient has no value for a tag that has no fallback; `tag` names it."""

    def __init__(self, tag: str) -> None:
        super().__init__(tag)
        self.tag = tag


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled template.

    `fields` are the names of its tags in the order of their places, `fallbacks` what is written where a value is
    missing (None: nothing is, the person is left out), `links` the addresses behind its links, in order, with "" for
    the one that stops. `words` is the text with a `%s` at each place of a field or link; `order` says which: a field
    by its index, a link by ~index.
    """

    words: str
    fields: tuple[str, ...]
    fallbacks: tuple[str | None, ...]
    links: tuple[str, ...]
    order: tuple[int, ...]

    def render(self, values: Mapping[str, str], links: Sequence[str] | None = None) -> str:
        """The text for one recipient, in NFC. `links` are written in place of the addresses. Raises MissingValue."""
        return self.fill([values.get(name) for name in self.fields], links)

    def fill(self, values: Sequence[str | None], links: Sequence[str] | None = None) -> str:
        """The same from values in the order of `fields`."""
        written: Sequence[str | None] = values
        if not all(values):
            written = [value or fallback for value, fallback in zip(values, self.fallbacks, strict=True)]
            if None in written:
                raise MissingValue(self.fields[written.index(None)])
        if self.links:
            addresses = self.links if links is None else links
            written = [written[place] if place >= 0 else addresses[~place] for place in self.order]
        text = self.words % tuple(written)
        return text if text.isascii() and "\r" not in text else plain_text(text)

    def with_fallbacks(self, links: Sequence[str] | None = None, values: Mapping[str, str] | None = None) -> str:
        """The text of somebody of whom only `values` are known; a tag without value or fallback is nothing."""
        lenient = replace(self, fallbacks=tuple(text or "" for text in self.fallbacks))
        return lenient.render(values or {}, links)


def compile_template(
    source: str, *, custom_fields: frozenset[str] = frozenset(), constants: Mapping[str, str] | None = None
) -> Template:
    """Read a template. Line ends of browsers (CRLF) become LF. Raises TemplateError with position and suggestion.

    `constants` are tags that are the same for everybody: they are written once.
    """
    constants = constants or {}
    source = source.replace("\r\n", "\n")
    words: list[str] = []
    fields: list[str] = []
    fallbacks: list[str | None] = []
    links: list[str] = []
    order: list[int] = []
    end = 0
    for match in _TAG.finditer(source):
        _refuse_braces(source, end, match.start())
        words.append(_escaped(source[end : match.start()]))
        end = match.end()
        name = match[1].strip()
        if constants.get(name):
            words.append(_escaped(constants[name]))
            continue
        words.append("%s")
        if name == LINK:
            order.append(~len(links))
            links.append(_address(match))
            if len(list(filter(None, links))) > MOST_LINKS:
                raise TemplateError(f"A text has at most {MOST_LINKS} links.", match.start())
        elif name == STOP_LINK:
            if "" not in links:
                links.append("")
            order.append(~links.index(""))
        else:
            order.append(len(fields))
            fields.append(_tag(match, custom_fields))
            fallbacks.append((match[2] or "").strip() or None)
    _refuse_braces(source, end, len(source))
    words.append(_escaped(source[end:]))
    return Template("".join(words), tuple(fields), tuple(fallbacks), tuple(links), tuple(order))


def plain_text(text: str) -> str:
    """A text without tags as it is sent: line ends of browsers become LF, letters NFC."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n"))


def outside_tags(source: str) -> str:
    """A template with blanks in place of its tags: each character of its own words stays at its place."""
    return _TAG.sub(lambda match: " " * len(match[0]), source)


def with_way_out(body: str, opt_out_word: str, *, by_link: bool = False) -> str:
    """The body with the sentence that says how to stop, unless the body says it already (A7).

    The word alone does not say it: "Stop by our shop" tells nobody how to stop. `by_link`: nobody can answer the
    sender, so it is a link.
    """
    if by_link:
        return body if _STOPS.search(body) else f"{body.rstrip()}\nNo more texts: {{{{ {STOP_LINK} }}}}"
    if re.search(rf"\b(reply|text|send|answer)\W+{re.escape(opt_out_word)}\b", body, re.IGNORECASE):
        return body
    return f"{body.rstrip()}\nReply {opt_out_word} to stop."


def _escaped(words: str) -> str:
    return words.replace("%", "%%")


def _tag(match: re.Match[str], custom_fields: frozenset[str]) -> str:
    name = match[1].strip()
    if name in TAGS or (name.startswith(CUSTOM) and name.removeprefix(CUSTOM) in custom_fields):
        return name
    known = [*TAGS, *(f"{CUSTOM}{field}" for field in sorted(custom_fields)), LINK, STOP_LINK]
    near = get_close_matches(name, known, n=1)
    hint = f"Did you mean “{near[0]}”?" if near else f"Known tags: {', '.join(known)}."
    raise TemplateError(f"There is no tag “{name[:40]}”. {hint}", match.start())


def _address(match: re.Match[str]) -> str:
    """The address behind a link: https, with a host, and nothing that could hide where it leads."""
    address = (match[2] or "").strip()
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    if parts.scheme != "https" or "." not in host.strip(".") or not address.isprintable() or " " in address:
        raise TemplateError(
            "A link needs a whole address that begins with https://, such as {{ link|https://example.org/sale }}.",
            match.start(),
        )
    if parts.username is not None or port not in (None, 443):
        raise TemplateError("The address of a link cannot hold a user name or a port.", match.start())
    if len(address) > LONGEST_LINK:
        raise TemplateError(f"The address of a link has at most {LONGEST_LINK} characters.", match.start())
    return "https" + address[len("https") :]  # as phones write it: Https://


def _refuse_braces(source: str, start: int, end: int) -> None:
    stray = _BRACES.search(source, start, end)
    if stray:
        raise TemplateError("Tags are written {{ tag }}: this brace has no partner.", stray.start())
