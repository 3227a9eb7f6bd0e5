"""Twilio's callbacks: signature and the words for states."""

from collections.abc import Mapping

from twilio.request_validator import RequestValidator

from messaging.rules.states import State

STATES: dict[str, State] = {
    "accepted": State.ACCEPTED,
    "scheduled": State.ACCEPTED,
    "queued": State.ACCEPTED,
    "sending": State.ACCEPTED,
    "sent": State.SENT,
    "delivered": State.DELIVERED,
    "read": State.DELIVERED,
    "undelivered": State.UNDELIVERED,
    "failed": State.UNDELIVERED,  # after acceptance: it was charged for
    "canceled": State.UNDELIVERED,
}


def signature_fits(*, auth_token: str, url: str, form: Mapping[str, str], signature: str) -> bool:
    """Whether the carrier signed this request: HMAC-SHA1 over the exact public address and the sorted form."""
    return bool(RequestValidator(auth_token).validate(url, form, signature))


def keyword_told(form: Mapping[str, str]) -> str:
    """STOP, START or HELP: what Advanced Opt-Out has taken a text for, and answered itself; empty: for neither.

    Its words are set up at the carrier: one that only it knows stops the texts there, so it stops them here as well.
    """
    told = form.get("OptOutType", "").upper()
    return told if told in ("STOP", "START", "HELP") else ""
