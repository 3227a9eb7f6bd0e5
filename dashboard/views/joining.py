"""The public sign-up page of a program: no account, no cookie; in a frame on other sites too."""

import json
import secrets
import time
from functools import lru_cache
from pathlib import Path

from csp.decorators import csp_replace
from django.contrib.staticfiles import finders
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from accounts.queries import current_organization
from common.clock import now
from common.phones import InvalidPhone, may_sign_up, to_e164
from common.rates import visitor_of, within_rate
from common.tenancy import organization_scope
from common.views import public_address, visitor_address
from consent.models import Program
from consent.rules.media import Medium
from dashboard.actions.joining import SignUp, may_text, organization_of_form, sign_up
from senders.queries import registered_numbers

SOONEST, LATEST = 2.0, 24 * 3600
"""Seconds between seeing the page and sending it: faster is no person, later the words may be others."""
AN_ADDRESS, A_PHONE, A_PROGRAM = 60, 5, 1000
"""Most sign-ups from one address in an hour, of one phone in a day, for one program in an hour."""
_SALT = "join"


@never_cache
@csrf_exempt  # in a frame there is no cookie to compare with: a signed token of the page stands for it
@xframe_options_exempt
@csp_replace({"frame-ancestors": ["*"]})  # type: ignore[arg-type]  # its types know views without arguments only
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, form_key: str) -> HttpResponse:
    """The page, and what is sent from it."""
    organization_id = organization_of_form(form_key)
    if organization_id is None:
        raise Http404
    with organization_scope(organization_id):
        program = get_object_or_404(Program.objects.all(), form_key=form_key)
        shown = _Page(request, program)
        if request.method == "POST":
            return HttpResponse(shown.answer())
        return HttpResponse(shown.html(token=shown.token()))


class _Page:
    """What one visitor sees: the program's box, and one for each other program with a page of its own."""

    def __init__(self, request: HttpRequest, program: Program) -> None:
        self._request, self._program = request, program
        others = Program.objects.exclude(form_sender_number_id=None).exclude(id=program.id).order_by("id")
        self._programs = [program, *others]
        self._home = current_organization().default_country
        number = registered_numbers().filter(id=program.form_sender_number_id or 0).first()
        self._context = {
            "program": program,
            "programs": self._programs,
            "number": number,
            "word": program.confirming_word.upper(),
        }

    def html(self, **more: object) -> str:
        return render_to_string("join/page.html", self._context | more)

    def _first_seen(self) -> str:
        """The page as everybody sees it first: nothing filled in, no token."""
        return self.html(token="", captured=True)

    def token(self) -> str:
        """When and which words were shown and where, signed; of one sending."""
        request = self._request
        embedded = request.GET.get("embedded")
        told = {
            "at": time.time(),
            "words": self._words(),
            "once": secrets.token_hex(8),
            "by": Medium.QR_CODE.value if request.GET.get("by") == "qr" else Medium.WEB_FORM.value,
            "frame": request.headers.get("Referer", "")[:300] if embedded else "",
        }
        return signing.dumps(told, salt=_SALT)

    def _words(self) -> str:
        return salted_hmac(_SALT, self._first_seen()).hexdigest()

    def answer(self) -> str:
        """What is said to who sent the page; refusals that concern a phone are not told."""
        said = self._request.POST
        ticked = [program.id for program in self._programs if said.get(f"agree_{program.id}") == "on"]
        try:
            shown = signing.loads(said.get("token", ""), salt=_SALT, max_age=LATEST)
        except signing.BadSignature:
            return self._again("This page has expired. Please check it and press Sign up again.", ticked)
        if shown["words"] != self._words():
            return self._again(
                "The words on this page have changed meanwhile. Please read them again, tick the boxes and send it.", []
            )
        if said.get("website"):  # no person sees this field
            return self.html(done=True)
        if time.time() - shown["at"] < SOONEST:
            return self._again("That was quick. Please press Sign up again.", ticked)
        if not ticked:
            return self.html(nothing=True)
        phone = self._phone()
        if not phone:
            words = "To get texts, enter your mobile number with its area code. Or leave the boxes empty."
            return self._again(words, ticked, wrong="phone")
        if not may_text(self._program):
            return self._again("Signing up is closed at the moment. Please try again another day.", ticked)
        visitor = visitor_address(self._request)
        if not within_rate(f"join-address:{visitor_of(visitor)}", limit=AN_ADDRESS, seconds=3600):
            return self._again("Too many people signed up from here just now. Please try again in an hour.", ticked)
        if not within_rate(f"join-program:{self._program.id}", limit=A_PROGRAM, seconds=3600):
            return self._again("Too many people signed up just now. Please try again in an hour.", ticked)
        first = within_rate(f"join-once:{shown['once']}", limit=1, seconds=LATEST)
        if first and within_rate(
            f"join-phone:{self._program.organization_id}:{phone}", limit=A_PHONE, seconds=24 * 3600
        ):
            sign_up(ticked, wish=self._wish(phone, shown, visitor), now=now())
        return self.html(done=True)

    def _phone(self) -> str:
        """The phone that was typed as E.164; empty where it is none that may be signed up here."""
        try:
            phone = to_e164(self._request.POST.get("phone", ""), country=self._home)
        except InvalidPhone:
            return ""
        return phone if may_sign_up(phone, country=self._home) else ""

    def _wish(self, phone: str, shown: dict[str, str], visitor: str) -> SignUp:
        address = public_address(reverse("dashboard:join", args=[self._program.form_key]))
        name = "".join(letter for letter in self._request.POST.get("name", "") if letter.isprintable())
        return SignUp(
            phone=phone,
            name=name.strip()[:160],
            page=self.html(token="", captured=True, styles=_styles()).encode(),
            source_url=f"{address} in a frame on {shown['frame']}" if shown["frame"] else address,
            ip_address=visitor,
            user_agent=self._request.headers.get("User-Agent", ""),
            medium=Medium(shown["by"]),
        )

    def _again(self, trouble: str, ticked: list[int], *, wrong: str = "") -> str:
        said = self._request.POST
        return self.html(token=self.token(), trouble=trouble, said=said, ticked=ticked, wrong=wrong)


@lru_cache(maxsize=1)
def _styles() -> str:
    """The style sheets of the page, so that what is kept of it looks in ten years as it did."""
    found = [finders.find(path) for path in ("tabler/css/tabler.min.css", "css/carillon.css")]
    return "\n".join(Path(str(path)).read_text(encoding="utf-8") for path in found if path)


@require_safe
def join_script(request: HttpRequest, form_key: str) -> HttpResponse:
    """A script that puts the page where it stands on another site."""
    if organization_of_form(form_key) is None:
        raise Http404
    address = public_address(reverse("dashboard:join", args=[form_key]))
    words = json.dumps(f"{address}?embedded=1").replace("<", "\\u003c")
    script = render_to_string("join/script.js", {"address": words})
    return HttpResponse(script, content_type="text/javascript; charset=utf-8")
