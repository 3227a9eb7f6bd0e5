"""The organization's settings."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import localdate
from django.views.decorators.http import require_POST

from accounts.actions import change_settings
from accounts.queries import current_organization, days_off
from accounts.rules.permissions import Permission
from common.clock import now
from common.views import MemberRequest, actor_of, member_view, refusals_on
from dashboard.actions import close_day, open_day
from dashboard.forms import DayOffForm, SettingsForm


@member_view(Permission.SETTINGS_EDIT)
def settings_page(request: MemberRequest) -> HttpResponse:
    """What holds for every text of the organization."""
    form = SettingsForm(request.POST or None, organization=current_organization())
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            change_settings(form.settings(), actor=actor_of(request), now=now())
        if form.is_valid():
            messages.success(request, "Your settings are kept. Drafts follow them from now on.")
            return redirect("dashboard:settings")
    context = {"form": form, "title": "Settings", "submit": "Save", "days": len(days_off(since=localdate(now())))}
    return render(request, "dashboard/settings.html", context)


@member_view(Permission.SETTINGS_EDIT)
def days_off_page(request: MemberRequest) -> HttpResponse:
    """Days on which nothing promotional is sent, such as Thanksgiving."""
    form = DayOffForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            close_day(**form.cleaned_data, actor=actor_of(request), now=now())
        if form.is_valid():
            messages.success(request, "Nothing promotional will be sent on that day. Running campaigns follow at once.")
            return redirect("dashboard:days_off")
    return render(request, "dashboard/days_off.html", {"form": form, "days": days_off(since=localdate(now()))})


@member_view(Permission.SETTINGS_EDIT)
@require_POST
def day_off_remove(request: MemberRequest, day_id: int) -> HttpResponse:
    """Send on that day again; what is removed already stays so."""
    open_day(day_id, actor=actor_of(request), now=now())
    messages.success(request, "Promotional texts are sent on that day again.")
    return redirect("dashboard:days_off")
