"""How many segments the carrier bills for a text.

GSM 03.38 and UCS-2 as Twilio's published calculator counts them (npm `sms-segments-calculator`): 160 septets alone or
153 each when joined; 70 UTF-16 units alone or 67 each. Escape pairs, surrogate pairs and whole grapheme clusters are
never cut, so dividing by 153 or 67 is wrong. The one function of the product that counts; the simulator has its own.
"""

import re
from typing import Literal, NamedTuple

import regex

Encoding = Literal["GSM-7", "UCS-2"]

GSM_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENSION = "\f^{}\\[~]|€"  # two septets each

GSM_SINGLE, GSM_JOINED = 160, 153
UCS2_SINGLE, UCS2_JOINED = 70, 67

_BASIC = re.compile(f"[{re.escape(GSM_BASIC)}]*")
_GSM = re.compile(f"[{re.escape(GSM_BASIC + GSM_EXTENSION)}]*")
_EXTENSION = re.compile(f"[{re.escape(GSM_EXTENSION)}]")


class Measurement(NamedTuple):
    """`units` are septets (GSM-7) or UTF-16 code units (UCS-2); `segments` is at least 1."""

    encoding: Encoding
    units: int
    segments: int


_SINGLE = tuple(Measurement("GSM-7", units, 1) for units in range(GSM_SINGLE + 1))


def measure(text: str) -> Measurement:
    """Measure a text as it is: nothing is normalised here. An empty text measures one segment."""
    units = len(text)
    basic: int = _BASIC.match(text).end()  # type: ignore[union-attr]  # it always matches
    if basic == units:  # nearly every text
        return _SINGLE[units] if units <= GSM_SINGLE else Measurement("GSM-7", units, -(-units // GSM_JOINED))
    if _GSM.fullmatch(text, basic):
        extended = len(_EXTENSION.findall(text))
        units = len(text) + extended
        if units <= GSM_SINGLE:
            return _SINGLE[units]
        return Measurement("GSM-7", units, len(_pack(_septets(text), GSM_JOINED)))
    encoded = text.encode("utf-16-le", "surrogatepass")
    units = len(encoded) // 2
    if units <= UCS2_SINGLE:
        return Measurement("UCS-2", units, 1)
    if _SOLO.fullmatch(text, basic):
        return Measurement("UCS-2", units, _parts_of_pairs(encoded))
    return Measurement("UCS-2", units, len(_cut(text, UCS2_JOINED)))


def split(text: str) -> list[str]:
    """The parts as the carrier cuts them; joined they are the text."""
    measured = measure(text)
    if measured.segments == 1:
        return [text]
    if measured.encoding == "GSM-7":
        return _pack(_septets(text), GSM_JOINED)
    return _cut(text, UCS2_JOINED)


def costly(text: str) -> list[int]:
    """The places of the characters that are in no GSM alphabet: each of them alone makes the text UCS-2."""
    return [match.start() for match in _NOT_GSM.finditer(text)]


def _septets(text: str) -> list[tuple[str, int]]:
    return [(character, 2 if character in GSM_EXTENSION else 1) for character in text]


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


def _parts_of_pairs(encoded: bytes) -> int:
    """Parts of a text without clusters larger than a character: only surrogate pairs must stay whole."""
    parts, begins = 1, 0
    while begins + UCS2_JOINED * 2 < len(encoded):
        begins += UCS2_JOINED * 2
        if 0xD8 <= encoded[begins - 1] <= 0xDB:  # the first half of a pair: it moves to the next part
            begins -= 2
        parts += 1
    return parts


def _cut(text: str, size: int) -> list[str]:
    """Parts of at most `size` UTF-16 units that end at the end of a cluster: greedy, as in the reference.

    A cluster larger than a part gets one of its own. Only what lies around an end is looked at.
    """
    parts = []
    begins = 0
    while begins < len(text):
        ends = begins + _fitting(text[begins : begins + size], size)
        if ends < len(text) and not _begins_a_cluster(text, ends):
            ends = _end_of_cluster(text, begins, ends)
        parts.append(text[begins:ends])
        begins = ends
    return parts


def _fitting(text: str, size: int) -> int:
    """How many of the first characters take at most `size` units."""
    if text.isascii():
        return len(text)
    encoded = text.encode("utf-16-le", "surrogatepass")
    if len(encoded) <= size * 2:
        return len(text)
    whole = encoded[: size * 2].decode("utf-16-le", "surrogatepass")
    halved = "\ud800" <= whole[-1] <= "\udbff" and text[len(whole) - 1] > "\uffff"
    return len(whole) - halved


def _begins_a_cluster(text: str, at: int) -> bool:
    """Whether it is plain, without looking further, that the text may be cut there."""
    return _SIMPLE_ONE.match(text, at - 1) is not None and _SIMPLE_ONE.match(text, at) is not None


def _end_of_cluster(text: str, begins: int, ends: int) -> int:
    """The last end of a cluster up to `ends`; where the first cluster is longer than that, its own end."""
    safe = ends - 1
    while safe > begins and not _begins_a_cluster(text, safe):
        safe -= 1
    last = safe
    # CRLF is one cluster to Unicode and two characters to the carrier.
    for cluster in regex.finditer(r"\r|\X", text, pos=safe):
        if cluster.end() > ends:
            return cluster.end() if last == begins else last
        last = cluster.end()
    return last


_NOT_GSM = re.compile(f"[^{re.escape(GSM_BASIC + GSM_EXTENSION)}]")

# Characters that can never join a cluster with a neighbour of their kind: Latin, punctuation and CJK without marks.
_PLAIN_ONES = (
    "\\n\\x20-\\x7e\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027\u2030-\u205e\u3001-\u3029\u3041-\u3096\u4e00-\u9fff"
)
_SIMPLE_ONE = re.compile(f"[{_PLAIN_ONES}]")
# With them emoji: they join by a joiner, a skin tone, a variant or a flag's letters, none of which is among these.
_SOLO = re.compile(
    f"[{_PLAIN_ONES}\\r\U0001f300-\U0001f3fa\U0001f400-\U0001f64f\U0001f680-\U0001f6ff\U0001f900-\U0001f9ff]*"
)
