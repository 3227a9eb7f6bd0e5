"""What is public: short links, which send people on, and pictures that the carrier fetches."""

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from common.clock import now
from content.queries import path_of
from messaging.actions.links import follow, stop_by_link
from messaging.actions.media import picture_behind
from messaging.rules.links import is_robot


@never_cache
@csrf_exempt  # the address is the secret: who has it may say stop, from a browser without cookies too
@require_http_methods(["GET", "HEAD", "POST"])
def follow_link(request: HttpRequest, code: str) -> HttpResponse:
    """Only to addresses that a campaign holds: what leads elsewhere cannot be asked for.

    The way out is a page with a button, since machines look at links too.
    """
    headers, host = request.headers, request.get_host().partition(":")[0]
    if request.method == "POST":
        stopped = stop_by_link(code, host=host, now=now())
        if stopped is None:
            raise Http404
        return render(request, "messaging/stop.html", {"target": stopped, "stopped": True})
    agent = headers.get("User-Agent", "")
    purpose = " ".join(headers.get(name, "") for name in ("Purpose", "Sec-Purpose", "X-Moz")).lower()
    robot = is_robot(method=request.method or "", agent=agent, purpose=purpose)
    target = follow(code, host=host, robot=robot, agent=agent, now=now())
    if target is None:
        raise Http404
    if target.stops:
        return render(request, "messaging/stop.html", {"target": target})
    if not target.url:
        return render(request, "messaging/ended.html", status=410)
    response = HttpResponseRedirect(target.url)
    response["Referrer-Policy"] = "no-referrer"
    return response


@require_safe
def picture(request: HttpRequest, token: str) -> HttpResponseBase:
    """A picture of a text, by the signed address that the carrier was given."""
    found = picture_behind(token)
    if found is None:
        raise Http404
    return FileResponse(path_of(found).open("rb"), content_type=found.content_type)
