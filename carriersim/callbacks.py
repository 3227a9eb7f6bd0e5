"""The carrier's signed callbacks, tried again for a while where the customer does not answer."""

import asyncio
import base64
import hashlib
import hmac
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from carriersim.carrier import Text

TRIES = 8


def sign(auth_token: str, url: str, form: dict[str, str]) -> str:
    """X-Twilio-Signature: HMAC-SHA1 over the address and the sorted form."""
    payload = url + "".join(key + form[key] for key in sorted(form))
    return base64.b64encode(hmac.new(auth_token.encode(), payload.encode(), hashlib.sha1).digest()).decode()


class Callbacks:
    """Posts status callbacks and inbound texts."""

    def __init__(self, auth_token: str) -> None:
        self._auth_token = auth_token
        self._session: aiohttp.ClientSession | None = None

    async def status(self, text: "Text", status: str, error_code: int | None) -> None:
        form = {
            "AccountSid": text.account_sid,
            "ApiVersion": "2010-04-01",
            "From": text.sender,
            "To": text.phone,
            "MessageSid": text.sid,
            "SmsSid": text.sid,
            "MessageStatus": status,
            "SmsStatus": status,
        }
        if error_code is not None:
            form["ErrorCode"] = str(error_code)
        await self._post(text.callback, form)

    async def inbound(self, text: "Text", url: str) -> None:
        form = {
            "AccountSid": text.account_sid,
            "ApiVersion": "2010-04-01",
            "From": text.phone,
            "To": text.sender,
            "Body": text.body,
            "MessageSid": text.sid,
            "SmsMessageSid": text.sid,
            "SmsSid": text.sid,
            "SmsStatus": "received",
            "NumMedia": "0",
            "NumSegments": str(text.segments),
        }
        await self._post(url, form)

    async def _post(self, url: str, form: dict[str, str]) -> None:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=64), timeout=aiohttp.ClientTimeout(total=15)
            )
        headers = {"X-Twilio-Signature": sign(self._auth_token, url, form)}
        for attempt in range(TRIES):
            try:
                async with self._session.post(url, data=form, headers=headers) as response:
                    if response.status < 500:
                        return
            except (aiohttp.ClientError, asyncio.TimeoutError):
                pass
            await asyncio.sleep(min(0.25 * 2**attempt, 5.0))
