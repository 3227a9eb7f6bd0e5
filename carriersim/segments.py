"""The carrier's own count of segments, written apart from the product's so that a test can disagree."""

import regex

_ONE = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_TWO = set("\f^{}\\[~]|€")


def count_segments(text: str) -> int:
    """Walk the text unit by unit, opening a new segment whenever the next piece does not fit."""
    gsm = all(character in _ONE or character in _TWO for character in text)
    if gsm:
        widths = [2 if character in _TWO else 1 for character in text]
        alone, joined = 160, 153
    else:
        pieces = regex.findall(r"\r|\X", text)
        widths = [sum(2 if ord(character) > 0xFFFF else 1 for character in piece) for piece in pieces]
        alone, joined = 70, 67
    if sum(widths) <= alone:
        return 1
    segments, used = 1, 0
    for width in widths:
        if used and used + width > joined:
            segments, used = segments + 1, 0
        used += width
    return segments
