"""How many segments the carrier bills for a text.

GSM 03.38 and UCS-2 as Twilio's published calculator counts them (npm `sms-segments-calculator`): 160 septets alone or
153 each when joined; 70 UTF-16 units alone or 67 each. Escape pairs, surrogate pairs and whole grapheme clusters are
never cut, so dividing by 153 or 67 is wrong. The one function of the product that counts; the simulator has its own.
"""

import re
from dataclasses import dataclass
from typing import Literal

import regex

Encoding = Literal["GSM-7", "UCS-2"]

GSM_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENSION = "\f^{}\\[~]|€"  # two septets each

GSM_SINGLE, GSM_JOINED = 160, 153
UCS2_SINGLE, UCS2_JOINED = 70, 67

_GSM = re.compile(f"[{re.escape(GSM_BASIC + GSM_EXTENSION)}]*")
_EXTENSION = re.compile(f"[{re.escape(GSM_EXTENSION)}]")


@dataclass(frozen=True, slots=True)
class Measurement:
    """`units` are septets (GSM-7) or UTF-16 code units (UCS-2); `segments` is at least 1."""

    encoding: Encoding
    units: int
    segments: int


def measure(text: str) -> Measurement:
    """Measure a text as it is: nothing is normalised here. An empty text measures one segment."""
    if _GSM.fullmatch(text):
        extended = len(_EXTENSION.findall(text))
        units = len(text) + extended
        if units <= GSM_SINGLE:
            return Measurement("GSM-7", units, 1)
        segments = len(_pack(_septets(text), GSM_JOINED)) if extended else -(-units // GSM_JOINED)
        return Measurement("GSM-7", units, segments)
    units = len(text) + sum(character > "\uffff" for character in text)
    if units <= UCS2_SINGLE:
        return Measurement("UCS-2", units, 1)
    if text.isascii() or (units == len(text) and _SIMPLE.fullmatch(text)):
        return Measurement("UCS-2", units, -(-units // UCS2_JOINED))
    return Measurement("UCS-2", units, len(_pack(_clusters(text), UCS2_JOINED)))


def split(text: str) -> list[str]:
    """The parts as the carrier cuts them; joined they are the text."""
    measured = measure(text)
    if measured.segments == 1:
        return [text]
    if measured.encoding == "GSM-7":
        return _pack(_septets(text), GSM_JOINED)
    return _pack(_clusters(text), UCS2_JOINED)


def _septets(text: str) -> list[tuple[str, int]]:
    return [(character, 2 if character in GSM_EXTENSION else 1) for character in text]


def _clusters(text: str) -> list[tuple[str, int]]:
    # CRLF is one cluster to Unicode and two characters to the carrier.
    clusters = regex.findall(r"\r|\X", text)
    return [(cluster, len(cluster.encode("utf-16-be", "surrogatepass")) // 2) for cluster in clusters]


def _pack(pieces: list[tuple[str, int]], size: int) -> list[str]:
    """Fill parts of `size` units greedily; a piece larger than a part gets one of its own, as in the reference."""
    parts: list[str] = []
    current: list[str] = []
    free = size
    for piece, width in pieces:
        if width > free and current:
            parts.append("".join(current))
            current, free = [], size
        current.append(piece)
        free -= width
    return [*parts, "".join(current)]


# Characters that can never join a cluster with a neighbour: Latin, punctuation and CJK without marks.
_SIMPLE = re.compile(
    "[\\n\\x20-\\x7e\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027\u2030-\u205e\u3001-\u3029\u3041-\u3096\u4e00-\u9fff]*"
)
