"""Texts that read like a wish to stop without being a keyword: 47 CFR 64.1200(a)(10) lets people say it in any words.

Such a text pauses the contact and asks a person. A wish that is missed is a text that should not have been sent, a
false alarm costs a glance: the patterns (near_stop.toml) are wide, and what they must let pass stands beside them.
"""

import re

from consent.rules.keywords import FAMILIES, Keyword, normalise, without_accents
from consent.rules.law import read

LONGEST = 320
"""Characters that are looked at: a wish to stop is said soon."""


def wants_to_stop(text: str) -> bool:
    """Whether a text that is no keyword reads like a wish to get no more texts. Called for texts of people only."""
    words = _plain(text)
    if not words:
        return False
    if _stands_alone(words.split()) or _ALWAYS.search(words):
        return True
    for harmless in _HARMLESS:
        words = harmless.sub(" ", words)
    return bool(_WISHES.search(words))


def _plain(text: str) -> str:
    # Apostrophes join: "don't" is "dont"; other marks part words, as in "STOP,please" and "s.t.o.p".
    said = text[:LONGEST].replace("🛑", " stop ").replace("#", " number ")
    spaced = re.sub(r"[^\w\s'’]", " ", said)
    return _SIGNATURE.sub("", without_accents(normalise(spaced)))


_DATA = read("near_stop.toml")


def _patterns(key: str) -> list[str]:
    found = [pattern for row in _DATA[key] for pattern in row["patterns"]]
    names = _DATA["names"]
    return [pattern.replace("{TEXTS}", names["TEXTS"]).replace("{STOPS}", names["STOPS"]) for pattern in found]


def _any(key: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in _patterns(key)))


def _stands_alone(words: list[str]) -> bool:
    """Whether the whole text is words that stop, or slips of the finger for them, and courtesies around them.

    Word by word, not by one pattern: what can be read in two ways would be tried in all of them, for ever.
    """
    seen = {0: False}  # how far the text has been read, and whether a slip was among it
    for place in range(len(words)):
        if place not in seen:
            continue
        for end in range(place + 1, min(place + _LONGEST_PHRASE, len(words)) + 1):
            phrase = " ".join(words[place:end])
            slip = phrase in _STOPS or _SLIP.fullmatch(phrase) is not None
            if slip or _COURTESY.fullmatch(phrase):
                seen[end] = seen.get(end, False) or seen[place] or slip
    return seen.get(len(words), False)


_SLIP, _COURTESY = re.compile(_DATA["names"]["SLIPS"]), re.compile(_DATA["names"]["COURTESY"])
_STOPS = frozenset(without_accents(word) for word in FAMILIES[Keyword.STOP])
_SIGNATURE = re.compile(_DATA["names"]["SIGNATURE"])
_LONGEST_PHRASE = 4
"""Words of one slip or courtesy, such as "s t o p"."""
_ALWAYS = _any("always")
_HARMLESS = [re.compile(pattern) for pattern in _patterns("harmless")]
_WISHES = _any("wishes")
