"""The ways of opting in, and what each may grant (domain.md, Consent). Data, one row each."""

from dataclasses import dataclass
from enum import StrEnum


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
    label: str
    grants: frozenset[Level]
    evidence: str


_WRITTEN = frozenset({Level.INFORMATIONAL, Level.PROMOTIONAL})
_SPOKEN = frozenset({Level.INFORMATIONAL})

MEDIA: dict[Medium, MediumRule] = {
    Medium.WEB_FORM: MediumRule("Web form", _WRITTEN, "link and screenshot, or the hosted form's capture"),
    Medium.KEYWORD: MediumRule("Keyword", _WRITTEN, "where the word is posted; the inbound message"),
    Medium.QR_CODE: MediumRule("QR code", _WRITTEN, "code and landing page"),
    Medium.PAPER_FORM: MediumRule("Paper form", _WRITTEN, "photo of the form"),
    Medium.DOUBLE_OPT_IN: MediumRule("Double opt-in", _WRITTEN, "both messages"),
    Medium.VERBAL: MediumRule("Spoken", _SPOKEN, "script, record in the CRM"),
    Medium.IVR: MediumRule("Phone menu", _SPOKEN, "script, record in the CRM"),
    Medium.INBOUND_TEXT: MediumRule("Inbound text", frozenset({Level.CONVERSATIONAL}), "the inbound message"),
    # For two-factor programs alone, of which there are none yet: until then it grants nothing.
    Medium.OTP_FLOW: MediumRule("Sign-in code", frozenset(), "screenshots of the flow"),
}


def may_grant(medium: Medium, level: Level) -> bool:
    return level in MEDIA[medium].grants
