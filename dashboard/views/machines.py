"""What machines ask: whether the process answers, and the figures of the platform."""

from secrets import compare_digest

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST

from common.clock import now
from common.metrics import exposition
from common.tenancy import across_organizations
from messaging.metrics import FAMILIES
from messaging.queries import gauges


def health(request: HttpRequest) -> HttpResponse:
    """For load balancers: the process answers."""
    return HttpResponse("ok", content_type="text/plain")


def metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus, which knows the setting METRICS_TOKEN; without that setting there is no such page."""
    expected = f"Bearer {settings.METRICS_TOKEN}"
    if not settings.METRICS_TOKEN:
        raise Http404
    if not compare_digest(request.headers.get("Authorization", "").encode(), expected.encode()):
        return HttpResponse("Send the METRICS_TOKEN as a bearer token.\n", status=401, content_type="text/plain")
    with across_organizations(because="the platform's own figures name no organization"):
        waiting = gauges(now=now())
    return HttpResponse(exposition(FAMILIES, waiting), content_type=CONTENT_TYPE_LATEST)
