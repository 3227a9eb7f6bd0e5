"""The ways of opting in, and what each may grant: data with source and date (media.toml)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from consent.rules.law import read


class Level(StrEnum):
    """Conversational consent comes from an inbound text alone and belongs to no program."""

    CONVERSATIONAL = "CONVERSATIONAL"
    INFORMATIONAL = "INFORMATIONAL"
    PROMOTIONAL = "PROMOTIONAL"


class Medium(StrEnum):
    WEB_FORM = "WEB_FORM"
    KEYWORD = "KEYWORD"
    QR_CODE = "QR_CODE"
    PAPER_FORM = "PAPER_FORM"
    DOUBLE_OPT_IN = "DOUBLE_OPT_IN"
    VERBAL = "VERBAL"
    IVR = "IVR"
    INBOUND_TEXT = "INBOUND_TEXT"
    OTP_FLOW = "OTP_FLOW"


@dataclass(frozen=True, slots=True)
class MediumRule:
    """`registration` is the way as a number's registration asks for it, `carrier` its name at the carrier, if any."""

    label: str
    grants: frozenset[Level]
    evidence: str
    registration: str
    carrier: str


def _rule(row: dict[str, Any]) -> MediumRule:
    grants = frozenset(Level(level) for level in row["grants"])
    return MediumRule(row["label"], grants, row["evidence"], row["registration"], row["carrier"])


MEDIA: dict[Medium, MediumRule] = {Medium(row["name"]): _rule(row) for row in read("media.toml")["medium"]}


def may_grant(medium: Medium, level: Level) -> bool:
    return level in MEDIA[medium].grants
