"""Countries by name."""

from functools import cache
from importlib.resources import files

from phonenumbers.phonenumberutil import SUPPORTED_REGIONS


@cache
def countries() -> list[tuple[str, str]]:
    """Every country with phones of its own, by name (phonenumbers knows names too, in 180 MiB)."""
    table = files("tzdata.zoneinfo").joinpath("iso3166.tab").read_text(encoding="utf-8")
    named = [line.split("\t") for line in table.splitlines() if line and not line.startswith("#")]
    return sorted(((code, name) for code, name in named if code in SUPPORTED_REGIONS), key=lambda item: item[1])
