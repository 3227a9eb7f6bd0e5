"""The public sign-up page of a program: no account, no cookie; in a frame on other sites too."""

import json
import time

from csp.decorators import csp_replace
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

from common.clock import now
from common.phones import InvalidPhone, to_e164
from common.rates import within_rate
from common.tenancy import organization_scope
from common.views import visitor_address
from consent.models import Program
from dashboard.actions.joining import SignUp, organization_of_form, sign_up
from senders.queries import registered_numbers

SOONEST, LATEST = 2.0, 24 * 3600
"""Seconds between seeing the page and sending it: faster is no person, later the words may be others."""
_SALT = "join"


@never_cache
@csrf_exempt  # in a frame there is no cookie to compare with: a signed token of the page stands for it
@xframe_options_exempt
@csp_replace({"frame-ancestors": ["*"]})  # type: ignore[arg-type]  # its types know views without arguments only
@require_http_methods(["GET", "POST"])
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
        number = registered_numbers().filter(id=program.form_sender_number_id or 0).first()
        self._context = {"program": program, "programs": self._programs, "number": number}

    def html(self, **more: object) -> str:
        return render_to_string("join/page.html", self._context | more)

    def capture(self) -> str:
        """The page as everybody sees it first: nothing filled in, no token."""
        return self.html(token="", captured=True)

    def token(self) -> str:
        """When and which words were shown, signed."""
        return signing.dumps({"at": time.time(), "words": self._words()}, salt=_SALT)

    def _words(self) -> str:
        return salted_hmac(_SALT, self.capture()).hexdigest()

    def answer(self) -> str:
        """What is said to who sent the page; refusals that concern a phone are not told."""
        said = self._request.POST
        trouble = self._trouble(said.get("token", ""))
        if trouble:
            return self.html(token=self.token(), trouble=trouble, said=said)
        if said.get("website"):  # no person sees this field
            return self.html(done=True)
        ticked = [program.id for program in self._programs if said.get(f"agree_{program.id}") == "on"]
        typed = said.get("phone", "").strip()
        if not ticked:
            return self.html(nothing=True)
        try:
            phone = to_e164(typed, country="US") if typed else ""
        except InvalidPhone:
            phone = ""
        if not phone:
            words = "To get texts, enter your mobile number with its area code. Or leave the boxes empty."
            return self.html(token=self.token(), trouble=words, said=said, ticked=ticked)
        if not within_rate(f"join-phone:{phone}", limit=5, seconds=24 * 3600):
            return self.html(done=True)
        wish = SignUp(
            phone=phone,
            name=said.get("name", "").strip()[:160],
            page=self.capture().encode(),
            source_url=self._request.build_absolute_uri(reverse("dashboard:join", args=[self._program.form_key])),
            ip_address=visitor_address(self._request),
            user_agent=self._request.headers.get("User-Agent", ""),
        )
        sign_up(ticked, wish=wish, now=now())
        return self.html(done=True)

    def _trouble(self, token: str) -> str:
        """Why this is not taken, in words; empty: it is."""
        try:
            shown = signing.loads(token, salt=_SALT, max_age=LATEST)
        except signing.BadSignature:
            return "This page was open for very long. Please look at it again and send it."
        if shown["words"] != self._words():
            return "The words on this page have changed meanwhile. Please read them again and send it."
        if time.time() - shown["at"] < SOONEST:
            return "That was quick. Please send it once more."
        if not within_rate(f"join-address:{visitor_address(self._request)}", limit=20, seconds=3600):
            return "Too many people signed up from here just now. Please try again in an hour."
        return ""


@require_safe
def join_script(request: HttpRequest, form_key: str) -> HttpResponse:
    """A script that puts the page where it stands on another site."""
    if organization_of_form(form_key) is None:
        raise Http404
    address = request.build_absolute_uri(reverse("dashboard:join", args=[form_key]))
    words = json.dumps(f"{address}?embedded=1").replace("<", "\\u003c")
    script = render_to_string("join/script.js", {"address": words})
    return HttpResponse(script, content_type="text/javascript; charset=utf-8")
