"""Short links: how one looks, so that its length can be measured before it is made, and who only previews it (F9)."""

import re
from datetime import timedelta

CODE_LENGTH = 8
CODE_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz"
"""Without the letters and digits that people confuse; each is one septet. 56 ** 8 codes: nobody guesses one."""

LIFETIME = timedelta(days=180)
"""How long a link leads somewhere after its text was written."""


def short_url(base: str, code: str) -> str:
    """The address that a person gets. `base` ends in a slash."""
    return f"{base}{code}"


def placeholders(base: str, count: int) -> tuple[str, ...]:
    """Addresses of the right length for links that are not made yet."""
    return tuple(short_url(base, CODE_LETTERS[place] * CODE_LENGTH) for place in range(count))


def code_of(noise: int) -> str:
    """A code from a random number of at least 64 bits."""
    letters = []
    for _ in range(CODE_LENGTH):
        noise, letter = divmod(noise, len(CODE_LETTERS))
        letters.append(CODE_LETTERS[letter])
    return "".join(letters)


def is_code(text: str) -> bool:
    """Whether it could be one of ours."""
    return len(text) == CODE_LENGTH and set(text) <= set(CODE_LETTERS)


def is_robot(*, method: str, agent: str, purpose: str) -> bool:
    """Whether a look is a machine's: previews of messengers and mail scanners, crawlers, a browser that fetches ahead.

    `purpose` is what the headers Purpose, Sec-Purpose and X-Moz say.
    """
    agent = agent.replace("CUBOT", "")  # a make of phones
    return method != "GET" or not agent or "prefetch" in purpose or "preview" in purpose or bool(_ROBOTS.search(agent))


# Names that fetchers give themselves. Messengers that preview links on the phone borrow the first three (iMessage).
_ROBOTS = re.compile(
    "facebookexternalhit|facebot|twitterbot|bot\\b|bot/|crawl|spider|slurp|preview|whatsapp|telegram|skype|slack|discord"
    "|linkedinbot|pinterest|embedly|scanner|safebrowsing|safelinks|barracuda|mimecast|proofpoint|symantec"
    "|monitor|headless|curl|wget|python|go-http|java/|okhttp|libwww|httpclient|google-read-aloud|lighthouse",
    re.IGNORECASE,
)
