"""Which adapter speaks for an account, and whose table explains an error."""

from django.conf import settings

from messaging.gateways.base import ErrorKind, Gateway
from messaging.gateways.null.adapter import NullGateway
from messaging.gateways.twilio import errors as twilio_errors
from messaging.gateways.twilio.adapter import TwilioGateway
from senders.models import CarrierAccount
from senders.queries import Credentials


def gateway_for(credentials: Credentials) -> Gateway:
    """The adapter of an account; call it inside the event loop that will use it."""
    if credentials.gateway == CarrierAccount.Gateway.NULL:
        return NullGateway()
    return TwilioGateway(
        credentials,
        connections=settings.CARRIER_CONNECTIONS,
        timeout_seconds=settings.CARRIER_TIMEOUT_SECONDS,
        patience_seconds=settings.CLAIM_LIFETIME_SECONDS,
    )


def kind_of_error(gateway: str, code: int | None) -> ErrorKind:
    """What an error code of that kind of gateway asks for."""
    return twilio_errors.kind_of(code) if gateway == CarrierAccount.Gateway.TWILIO else ErrorKind.UNKNOWN
