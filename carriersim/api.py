"""The addresses: the carrier's REST API, the simulator's own controls, and the handset."""

import base64
import json
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote, unquote, urlencode

from carriersim.carrier import Carrier, Number, Text
from carriersim.http import Request, Response, json_response
from carriersim.judge import judge
from carriersim.pages import phone_page, phones_page

ACCOUNTS = "/2010-04-01/Accounts/"
MESSAGES = {
    20003: "Authenticate",
    20429: "Too many requests",
    21211: "Invalid 'To' phone number",
    21610: "Attempt to send to unsubscribed recipient",
}


class Api:
    """Routes requests; the hand-over is answered without a task of its own."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    def __call__(self, request: Request) -> Any:
        if request.path.startswith(ACCOUNTS):
            return self._rest(request)
        if request.path.startswith("/simulator/"):
            return self._control(request)
        if request.path == "/handset" or request.path.startswith("/handset/"):
            return self._handset(request)
        return Response(404, b"{}")

    # REST ----------------------------------------------------------------------------------------------------------

    def _rest(self, request: Request) -> Response:
        account_sid, _, rest = request.path[len(ACCOUNTS) :].partition("/")
        if request.headers.get("authorization") != self._authorization(account_sid):
            return _error(401, 20003)
        if rest == "Messages.json" and request.method == "POST":
            return self._take(account_sid, request)
        if rest == "Messages.json":
            return self._list(account_sid, request.query)
        text = self._carrier.texts.get(rest.removeprefix("Messages/").removesuffix(".json"))
        return json_response(_resource(text)) if text else _error(404, 20404)

    def _take(self, account_sid: str, request: Request) -> Response:
        carrier = self._carrier
        mood = carrier.moody()
        latency = carrier.mood.latency
        if mood == "too_many":
            return _error(429, 20429)
        if mood == "error":
            return Response(500, b"{}", delay=latency)
        if mood == "nothing":
            return Response(drop=True, delay=latency)
        taken = carrier.take(account_sid, request.form(), request.all_of("MediaUrl"))
        if isinstance(taken, int):
            return _error(400, taken)
        if mood == "silence":
            return Response(drop=True, delay=3600.0)
        answer = Response(201, json.dumps(_resource(taken)).encode(), delay=latency)
        if mood == "half":
            answer.drop, answer.cut = True, 120
        return answer

    def _list(self, account_sid: str, query: dict[str, str]) -> Response:
        carrier = self._carrier
        if "From" in query and "To" in query:
            found = [carrier.texts[sid] for sid in carrier.by_pair[(query["From"], query["To"])]]
        else:
            found = [text for text in carrier.texts.values() if not text.silent]
        since = query.get("DateSent>", "")
        rows = [
            text for text in reversed(found) if text.account_sid == account_sid and text.created.isoformat() >= since
        ]
        size, page = int(query.get("PageSize", 50)), int(query.get("Page", 0))
        following = None
        if len(rows) > (page + 1) * size:
            following = f"{ACCOUNTS}{account_sid}/Messages.json?{urlencode(query | {'Page': page + 1})}"
        shown = [_resource(text) for text in rows[page * size : (page + 1) * size]]
        return json_response({"messages": shown, "next_page_uri": following, "page_size": size})

    def _authorization(self, account_sid: str) -> str:
        return "Basic " + base64.b64encode(f"{account_sid}:{self._carrier.auth_token}".encode()).decode()

    # Controls ------------------------------------------------------------------------------------------------------

    def _control(self, request: Request) -> Any:
        carrier = self._carrier
        if request.path == "/simulator/numbers" and request.method == "POST":
            for row in request.json():
                known = carrier.numbers.get(row["sender"])
                carrier.numbers[row["sender"]] = Number(**row)
                if known is not None:
                    carrier.numbers[row["sender"]].arrivals = known.arrivals
            return json_response({"numbers": len(carrier.numbers)})
        if request.path == "/simulator/mood" and request.method == "POST":
            carrier.set_mood(request.json())
            return json_response({})
        if request.path == "/simulator/record":
            return json_response(judge(carrier, request.query.get("from", "").split(",")))
        if request.path == "/simulator/texts":
            sender = request.query.get("from", "")
            texts = [
                text for text in carrier.texts.values() if text.sender == sender and text.outbound and not text.silent
            ]
            return json_response([_resource(text) | {"taken_at": text.created.timestamp()} for text in texts])
        if request.path == "/simulator/arrivals":
            return json_response(carrier.numbers[request.query["from"]].arrivals)
        if request.path == "/simulator/answer" and request.method == "POST":
            return self._typed(request.json())
        if request.path == "/simulator/health":
            return json_response({"ok": True})
        return Response(404, b"{}")

    async def _typed(self, row: dict[str, str]) -> Response:
        text = await self._carrier.answer(row["phone"], row["sender"], row["body"])
        return json_response({"sid": text.sid})

    # Handset -------------------------------------------------------------------------------------------------------

    def _handset(self, request: Request) -> Any:
        phone = unquote(request.path.removeprefix("/handset").strip("/"))
        if not phone:
            return _html(phones_page(self._carrier, request.query.get("q", "")))
        if request.method == "POST":
            return self._answer(phone, request.form())
        return _html(phone_page(self._carrier, phone))

    async def _answer(self, phone: str, form: dict[str, str]) -> Response:
        if form.get("body", "").strip() and form.get("sender") in self._carrier.numbers:
            await self._carrier.answer(phone, form["sender"], form["body"])
        return Response(303, location=f"/handset/{quote(phone)}")


def _resource(text: Text) -> dict[str, Any]:
    return {
        "account_sid": text.account_sid,
        "api_version": "2010-04-01",
        "body": text.body,
        "date_created": format_datetime(text.created),
        "date_sent": None,
        "date_updated": format_datetime(text.created),
        "direction": "outbound-api" if text.outbound else "inbound",
        "error_code": text.error_code,
        "error_message": None,
        "from": text.sender if text.outbound else text.phone,
        "messaging_service_sid": None,
        "num_media": str(len(text.media)),
        "num_segments": str(text.segments),
        "price": None,
        "price_unit": "USD",
        "sid": text.sid,
        "status": text.status,
        "to": text.phone if text.outbound else text.sender,
        "uri": f"{ACCOUNTS}{text.account_sid}/Messages/{text.sid}.json",
    }


def _error(status: int, code: int) -> Response:
    content = {
        "code": code,
        "message": MESSAGES.get(code, f"Error {code}"),
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    return json_response(content, status)


def _html(page: str) -> Response:
    return Response(body=page.encode(), content_type="text/html; charset=utf-8")
