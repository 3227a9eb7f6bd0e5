"""What a texted keyword means. The whole message counts, never a part of it.

Families: Twilio's default sets, 47 CFR 64.1200(a)(10) ("opt out" with a space included) and Telnyx's "stop all".
"""

import re
import unicodedata
from enum import StrEnum


class Keyword(StrEnum):
    STOP = "STOP"
    START = "START"
    YES = "YES"  # START only where the phone is opted out and the number is not toll-free
    HELP = "HELP"


FAMILIES: dict[Keyword, frozenset[str]] = {
    Keyword.STOP: frozenset(
        {"stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "opt out"}
    ),
    Keyword.START: frozenset({"start", "unstop"}),
    Keyword.YES: frozenset({"yes"}),
    Keyword.HELP: frozenset({"help", "info"}),
}
_MEANING = {word: keyword for keyword, words in FAMILIES.items() for word in words}

# On toll-free numbers the network itself acts on these and answers; every other keyword is ours alone.
NETWORK_STOP = frozenset({"stop"})
NETWORK_START = frozenset({"start", "unstop"})

_SPACES = re.compile(r"\s+")


def normalise(text: str) -> str:
    """Case-folded, without punctuation, marks and emoji, spaces joined: `"  Opt-Out! 🙏"` is `optout`."""
    kept = "".join(
        character if unicodedata.category(character)[0] in "LN" else " " if character.isspace() else ""
        for character in unicodedata.normalize("NFKC", text)
    )
    return _SPACES.sub(" ", kept).strip().casefold()


def keyword_of(text: str, *, stop_words: frozenset[str] = frozenset()) -> Keyword | None:
    """The keyword that a message is, if it is one. `stop_words` are the number's own, normalised (A7)."""
    word = normalise(text)
    return Keyword.STOP if word in stop_words else _MEANING.get(word)
