"""Short links: how one looks, so that its length can be measured before it is made (F9)."""

CODE_LENGTH = 8
CODE_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz"
"""Without the letters and digits that people confuse; each is one septet."""


def short_url(base: str, code: str) -> str:
    """The address that a person gets. `base` ends in a slash."""
    return f"{base}{code}"


def placeholders(base: str, count: int) -> tuple[str, ...]:
    """Addresses of the right length for links that are not made yet."""
    return tuple(short_url(base, CODE_LETTERS[place] * CODE_LENGTH) for place in range(count))
