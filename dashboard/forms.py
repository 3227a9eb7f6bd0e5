"""Signing up."""

from zoneinfo import available_timezones

from django import forms
from django.http import HttpRequest

from accounts.models import User
from common.clock import now
from dashboard.actions import open_organization


class OrganizationSignUpForm(forms.Form):
    """What sign-up asks beside e-mail and password; django-allauth mixes it into its own form."""

    organization = forms.CharField(max_length=120, label="Name of your business")
    time_zone = forms.ChoiceField(
        choices=[(zone, zone.replace("_", " ")) for zone in sorted(available_timezones())],
        initial="America/New_York",
        label="Time zone",
    )

    def signup(self, request: HttpRequest, user: User) -> None:
        """Called by django-allauth once the person exists."""
        open_organization(
            name=self.cleaned_data["organization"], owner=user, time_zone=self.cleaned_data["time_zone"], now=now()
        )
