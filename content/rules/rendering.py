"""Templates of texts: `{{ tag }}` and `{{ tag|fallback }}`, nothing that could execute.

A template is compiled once and rendered for each recipient by joining precomputed parts.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

TAGS = (
    *("first_name", "last_name", "phone", "email", "company"),
    *("city", "region", "postcode", "country", "organization"),
)
_TAG = re.compile(r"\{\{\s*([^{}|]*?)\s*(?:\|\s*([^{}]*?)\s*)?\}\}")
_BRACES = re.compile(r"\{\{|\}\}")
_CUSTOM = re.compile(r"custom\.[a-z][a-z0-9_]*")


class TemplateError(ValueError):
    """The template cannot be read. `position` counts characters from 0."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


class MissingValue(LookupError):
    """A recipient has no value for a tag that has no fallback; `tag` names it."""

    def __init__(self, tag: str) -> None:
        super().__init__(tag)
        self.tag = tag


@dataclass(frozen=True, slots=True)
class Tag:
    name: str
    fallback: str | None


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled template: fixed words and tags in turn."""

    parts: tuple[str | Tag, ...]

    def render(self, values: Mapping[str, str]) -> str:
        """The text for one recipient, in NFC. Raises MissingValue."""
        words = []
        for part in self.parts:
            if isinstance(part, str):
                words.append(part)
            else:
                value = values.get(part.name) or part.fallback
                if value is None:
                    raise MissingValue(part.name)
                words.append(value)
        text = "".join(words)
        return text if text.isascii() else unicodedata.normalize("NFC", text)

    @property
    def tags(self) -> tuple[str, ...]:
        return tuple(part.name for part in self.parts if isinstance(part, Tag))


def compile_template(source: str, *, custom_fields: frozenset[str] = frozenset()) -> Template:
    """Read a template. Line ends of browsers (CRLF) become LF. Raises TemplateError with position and suggestion."""
    source = source.replace("\r\n", "\n")
    parts: list[str | Tag] = []
    end = 0
    for match in _TAG.finditer(source):
        _refuse_braces(source, end, match.start())
        parts.append(source[end : match.start()])
        parts.append(_tag(match, custom_fields))
        end = match.end()
    _refuse_braces(source, end, len(source))
    parts.append(source[end:])
    return Template(tuple(part for part in parts if part != ""))


def plain_text(text: str) -> str:
    """A text without tags as it is sent: line ends of browsers become LF, letters NFC."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n"))


def with_way_out(body: str, opt_out_word: str) -> str:
    """The body with the sentence that says how to stop, unless the body says it already (A7).

    The word alone does not say it: "Stop by our shop" tells nobody how to stop.
    """
    if re.search(rf"\b(reply|text|send|answer)\W+{re.escape(opt_out_word)}\b", body, re.IGNORECASE):
        return body
    return f"{body.rstrip()}\nReply {opt_out_word} to stop."


def typed_length(body: str, opt_out_word: str) -> int:
    """Characters of a text with its way out and every tag at its fallback: what a person sees while typing.

    Raises TemplateError.
    """
    template = compile_template(with_way_out(body, opt_out_word))
    return sum(len(part if isinstance(part, str) else part.fallback or "") for part in template.parts)


def _tag(match: re.Match[str], custom_fields: frozenset[str]) -> Tag:
    name, fallback = match[1], match[2]
    if name in TAGS or (_CUSTOM.fullmatch(name) and name.removeprefix("custom.") in custom_fields):
        return Tag(name, fallback or None)
    known = [*TAGS, *(f"custom.{field}" for field in sorted(custom_fields))]
    near = get_close_matches(name, known, n=1)
    hint = f" Did you mean “{near[0]}”?" if near else f" Known tags: {', '.join(known)}."
    raise TemplateError(f"There is no tag “{name}”.{hint}", match.start())


def _refuse_braces(source: str, start: int, end: int) -> None:
    stray = _BRACES.search(source, start, end)
    if stray:
        raise TemplateError("Tags are written {{ tag }}: this brace has no partner.", stray.start())
