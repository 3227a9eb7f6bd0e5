"""The public page of short links: whoever has one is sent on."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from common.clock import now
from messaging.actions.links import follow
from messaging.rules.links import is_robot


@never_cache
@require_safe
def follow_link(request: HttpRequest, code: str) -> HttpResponse:
    """Only to addresses that a campaign holds: what leads elsewhere cannot be asked for."""
    headers = request.headers
    agent = headers.get("User-Agent", "")
    purpose = " ".join(headers.get(name, "") for name in ("Purpose", "Sec-Purpose", "X-Moz")).lower()
    robot = is_robot(method=request.method or "", agent=agent, purpose=purpose)
    target = follow(code, robot=robot, agent=agent, now=now())
    if target is None:
        raise Http404
    if not target.url:
        return render(request, "messaging/ended.html", status=410)
    response = HttpResponseRedirect(target.url)
    response["Referrer-Policy"] = "no-referrer"
    return response
