"""Plain characters: writing a text so that it needs no Unicode, where that is possible (F8).

The table is data (plain_characters.tsv, with its source). It is applied as a whole or not at all: replacing a curly
quote in a text that needs Unicode for a letter anyway would cost its look and save nothing.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from content.rules.segments import GSM_BASIC, GSM_EXTENSION, Measurement, costly, measure


class Plain(NamedTuple):
    """A text in plain characters where that makes it GSM-7 and no dearer, else as it is, and what that saves."""

    text: str
    measured: Measurement
    saved_segments: int


def plainly(text: str, *, at_most: int = 10_000) -> Plain:
    """Write a text in plain characters, where it has `at_most` so many of them then. Doing it again changes nothing."""
    typed = measure(text)
    # By place: this is asked for every person.
    if typed[0] == "GSM-7" or _WITHOUT_PLAIN_FORM.search(text):
        return Plain(text, typed, 0)
    changed = text.translate(PLAIN)
    measured = measure(changed)
    if measured.segments <= typed.segments and 0 < len(changed) <= at_most:
        return Plain(changed, measured, typed.segments - measured.segments)
    return Plain(text, typed, 0)


class Piece(NamedTuple):
    """A stretch of a text as it is written; `was` is the character in whose place it stands, or empty."""

    written: str
    was: str


def changes(text: str, *, at_most: int = 10_000) -> list[Piece]:
    """What `plainly` makes of a text, in pieces: those that differ, and what lies between them."""
    if plainly(text, at_most=at_most).text == text:
        return [Piece(text, "")]
    found: list[Piece] = []
    begins = 0
    for at in costly(text):
        if at > begins:
            found.append(Piece(text[begins:at], ""))
        found.append(Piece(PLAIN[ord(text[at])], text[at]))
        begins = at + 1
    return [*found, Piece(text[begins:], "")] if begins < len(text) else found


def without_costly(text: str) -> Measurement:
    """What a text would measure without the characters that have no plain form; the others are written plainly."""
    kept = _WITHOUT_PLAIN_FORM.sub("", text)
    return plainly(kept).measured


@dataclass(frozen=True, slots=True)
class Costly:
    """A character that makes a text UCS-2: its places (from 0), and what is written in its place (None: nothing fits).

    `near` is the letter without its mark, where that is plain: changing it is the writer's choice, never ours.
    """

    character: str
    name: str
    places: tuple[int, ...]
    plain: str | None
    near: str


def costly_characters(text: str) -> list[Costly]:
    """Each character outside the plain alphabet once, in the order of its first place."""
    places: dict[str, list[int]] = {}
    for at in costly(text):
        places.setdefault(text[at], []).append(at)
    return [
        Costly(character, _name(character), tuple(found), PLAIN.get(ord(character)), _near(character))
        for character, found in places.items()
    ]


def _name(character: str) -> str:
    """Such as `right single quotation mark`; what has no name is told by its number."""
    return unicodedata.name(character, f"character U+{ord(character):04X}").lower()


def _near(character: str) -> str:
    base = unicodedata.normalize("NFD", character)[0]
    return base if base != character and base in GSM_BASIC else ""


def _read(table: str) -> Mapping[int, str]:
    found: dict[int, str] = {}
    for row in table.splitlines():
        if row.startswith("# ") or not row:
            continue
        written, _, ranges = row.partition("\t")
        for first, last in re.findall(r"([0-9A-F]{4})(?:-([0-9A-F]{4}))?", ranges):
            for code in range(int(first, 16), int(last or first, 16) + 1):
                found[code] = " " if written == "SPACE" else written
    return found


PLAIN: Mapping[int, str] = _read((Path(__file__).parent / "plain_characters.tsv").read_text(encoding="utf-8"))
"""Code point to what is written in its place; every replacement is GSM-7."""

_WITHOUT_PLAIN_FORM = re.compile(f"[^{re.escape(GSM_BASIC + GSM_EXTENSION + ''.join(map(chr, PLAIN)))}]")
