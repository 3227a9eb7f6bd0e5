"""Law and carriers' policy as data: files beside this one, in which every value names its source and its date.

A value that lacks one of the two is refused when it is read: nothing is lawful because somebody remembers it.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"


class Unsourced(ValueError):
    """A value of law without a source or a date."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a value comes from, and the day from which it counts."""

    source: str
    effective_on: date


def provenance(row: Mapping[str, Any], *, where: str) -> Provenance:
    """The provenance of a row of a data file. Raises Unsourced."""
    source, effective_on = row.get("source"), row.get("effective_on")
    if not isinstance(source, str) or not source.strip() or type(effective_on) is not date:
        raise Unsourced(f"{where}: {row} lacks a source or the day from which it counts.")
    return Provenance(source, effective_on)


def read(name: str) -> dict[str, Any]:
    """A data file by its name. Raises Unsourced where any row of it lacks its provenance."""
    with (DATA / name).open("rb") as file:
        found = tomllib.load(file)
    for key, rows in found.items():
        for row in rows if isinstance(rows, list) else [rows]:
            provenance(row, where=f"{name}, {key}")
    return found


@dataclass(frozen=True, slots=True)
class Period:
    """A time or count that law or carriers ask for."""

    value: int
    unit: str
    provenance: Provenance


def period(name: str) -> Period:
    """A whole-number value of periods.toml."""
    row = _PERIODS[name]
    return Period(row["value"], row["unit"], provenance(row, where=name))


def day(name: str) -> date:
    """A day of periods.toml."""
    found: date = _PERIODS[name]["value"]
    return found


_PERIODS = read("periods.toml")
