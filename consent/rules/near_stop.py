"""Texts that read like a wish to stop without being a keyword: 47 CFR 64.1200(a)(10) lets people say it in any words.

Such a text pauses the contact and asks a person. A wish that is missed is a text that should not have been sent, a
false alarm costs a glance: the patterns (near_stop.toml) are wide, and what they must let pass stands beside them.
"""

import re

from consent.rules.keywords import normalise, without_accents
from consent.rules.law import read

LONGEST = 320
"""Characters that are looked at: a wish to stop is said soon."""


def wants_to_stop(text: str) -> bool:
    """Whether a text that is no keyword reads like a wish to get no more texts. Called for texts of people only."""
    words = _plain(text)
    if not words:
        return False
    if _ALONE.fullmatch(words) or _ALWAYS.search(words):
        return True
    for harmless in _HARMLESS:
        words = harmless.sub(" ", words)
    return bool(_WISHES.search(words))


def _plain(text: str) -> str:
    # Apostrophes join: "don't" is "dont"; other marks part words, as in "STOP,please" and "s.t.o.p".
    said = text[:LONGEST].replace("🛑", " stop ").replace("#", " number ")
    spaced = re.sub(r"[^\w\s'’]", " ", said)
    return without_accents(normalise(spaced))


_DATA = read("near_stop.toml")


def _patterns(key: str) -> list[str]:
    found = [pattern for row in _DATA[key] for pattern in row["patterns"]]
    names = _DATA["names"]
    return [pattern.replace("{TEXTS}", names["TEXTS"]).replace("{STOPS}", names["STOPS"]) for pattern in found]


def _any(key: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in _patterns(key)))


def _alone() -> re.Pattern[str]:
    """The whole text, but for courtesies: slips of the finger, and STOP with a word around it."""
    courtesy, slip = _DATA["names"]["COURTESY"], _DATA["names"]["SLIPS"]
    return re.compile(rf"(?:{courtesy} )*{slip}(?: {slip})*(?: {courtesy})*(?: {slip})*(?: {courtesy})*")


_ALONE = _alone()
_ALWAYS = _any("always")
_HARMLESS = [re.compile(pattern) for pattern in _patterns("harmless")]
_WISHES = _any("wishes")
