"""Finding people by what one types, at the same cost however many there are."""

import re
from collections.abc import Sequence

from common.sql import fetch_all

MOST_WORDS = 5
_SPECIAL = re.compile(r"([\\%_])")
_FIGURES = re.compile(r"[\d\s()+./-]+")


def found_ids(patterns: Sequence[str], *, after_id: int, limit: int, list_id: int | None = None) -> list[int]:
    """The next contacts whose words fit every pattern, in the order of their ids; of one list or all.

    The function stands in migration 0006.
    """
    rows = fetch_all(
        "SELECT contact_id FROM found_contacts(%s::text[], %s, %s, %s) AS f(contact_id)",
        [list(patterns), after_id, limit, list_id],
    )
    return [contact_id for (contact_id,) in rows]


def patterns_of(search: str) -> list[str]:
    """What is typed as LIKE patterns, one for each word; empty where nothing is said.

    Accents and capitals do not matter; of one or two letters a word must begin with them. Phones are found by three
    digits and more, however they are parted.
    """
    if not search.strip():
        return []
    ((plain,),) = fetch_all("SELECT lower(unaccent(%s))", [search[:200].replace("\x00", "")])
    if _FIGURES.fullmatch(plain) and sum(map(str.isdigit, plain)) >= 3:
        return [f"%{''.join(filter(str.isdigit, plain))}%"]  # one phone, whatever parts it
    found = []
    for word in plain.split()[:MOST_WORDS]:
        digits = "".join(filter(str.isdigit, word))
        text = digits if len(digits) >= 3 and _FIGURES.fullmatch(word) else _SPECIAL.sub(r"\\\1", word)
        found.append(f"%{text}%" if len(text) > 2 else f"% {text}%")
    return found
