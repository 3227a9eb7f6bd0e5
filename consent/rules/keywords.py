"""What a texted keyword means. The whole message counts, never a part of it. The words are data (keywords.toml)."""

import re
import unicodedata
from enum import StrEnum

from consent.rules.law import read


class Keyword(StrEnum):
    STOP = "STOP"
    START = "START"
    YES = "YES"  # START only where the phone is opted out and the number is not toll-free
    HELP = "HELP"


_DATA = read("keywords.toml")

FAMILIES: dict[Keyword, frozenset[str]] = {
    family: frozenset(word for row in _DATA["words"] if row["family"] == family for word in row["words"])
    for family in Keyword
}
_MEANING = {word: keyword for keyword, words in FAMILIES.items() for word in words}


def _network(family: Keyword) -> frozenset[str]:
    return frozenset(word for row in _DATA["network"] if row["family"] == family for word in row["words"])


# On toll-free numbers the network itself acts on these and answers; every other keyword is ours alone.
NETWORK_STOP = _network(Keyword.STOP)
NETWORK_START = _network(Keyword.START)

STOP_ALL = frozenset({"stopall", "stop all"})
"""What stops everything, where the organization's STOP stops one program."""

_SPACES = re.compile(r"\s+")


def normalise(text: str) -> str:
    """Case-folded, without punctuation, marks and emoji, spaces joined: `"  Opt-Out! 🙏"` is `optout`."""
    kept = "".join(
        character if unicodedata.category(character)[0] in "LN" else " " if character.isspace() else ""
        for character in unicodedata.normalize("NFKC", text)
    )
    return _SPACES.sub(" ", kept).strip().casefold()


def without_accents(word: str) -> str:
    """A word as it is typed on a foreign keyboard: `arrêt` is `arret`."""
    return "".join(letter for letter in unicodedata.normalize("NFD", word) if not unicodedata.combining(letter))


def readings(text: str) -> tuple[str, str]:
    """The two words that a message may be: as it is typed, and without accents."""
    word = normalise(text)
    return word, without_accents(word)


def keyword_of(text: str, *, stop_words: frozenset[str] = frozenset()) -> Keyword | None:
    """The keyword that a message is, if it is one. `stop_words` are the number's own, normalised (A7)."""
    word, plain = readings(text)
    if word in stop_words or plain in stop_words:
        return Keyword.STOP
    return _MEANING.get(word) or _MEANING.get(plain)
