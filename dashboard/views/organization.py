"""The organization's settings."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts.actions import change_settings
from accounts.queries import current_organization
from accounts.rules.permissions import Permission
from common.clock import now
from common.views import MemberRequest, actor_of, member_view, refusals_on
from dashboard.forms import SettingsForm


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
    return render(request, "form.html", {"form": form, "title": "Settings", "submit": "Save"})
