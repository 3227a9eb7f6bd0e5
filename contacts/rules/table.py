"""What the table of contacts can show of each; everybody chooses their own columns."""

from collections.abc import Iterable, Sequence

LABELS: dict[str, str] = {
    "company": "Company",
    "phones": "Phone",
    "email": "E-mail",
    "city": "City",
    "region": "State or region",
    "postcode": "Postcode",
    "country": "Country",
    "language": "Language",
    "time_zone": "Time zone",
    "created_at": "Known since",
}
USUAL = ("company", "phones", "city")
MOST = 8
"""Columns beside the name that a table shows."""


def columns_of(chosen: Iterable[str], own: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The columns with their labels, in the order in which they are offered; `own` are fields as (`custom.key`, name).

    What was chosen and is not there any more is left out; without a choice they are the usual ones.
    """
    wanted = set(chosen)
    found = [(key, label) for key, label in (*LABELS.items(), *own) if key in wanted]
    return found[:MOST] or [(key, LABELS[key]) for key in USUAL]
