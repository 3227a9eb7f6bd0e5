"""Company names as senders (alphanumeric sender ids): how one is written, and who can be reached from it.

The carrier's terms for them (its error 21709, read 2026-11): 2 to 11 letters, digits and spaces, not digits alone.
Nobody can answer a name, so the way out of such a text is a link.
"""

import re

NOT_REACHED = ("+1",)
"""Country codes whose networks take no text from a name: North America (the carrier's error 21612, read 2026-11).

Others want the name registered beforehand; staff do that before they give it.
"""

_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9][A-Za-z0-9 ]{0,9}[A-Za-z0-9]")


class InvalidName(ValueError):
    """Not a name that carriers take; the text says what one looks like."""


def sender_name(text: str) -> str:
    """The name without blanks around it. Raises InvalidName."""
    name = " ".join(text.split())
    if not _NAME.fullmatch(name):
        raise InvalidName(
            "A name has 2 to 11 letters, digits and spaces, at least one letter, and no accents or signs."
        )
    return name
