"""Signing up, and what staff decide."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.http import HttpRequest

from accounts.models import User
from common.clock import now
from common.phones import InvalidPhone, to_e164
from dashboard.actions import open_organization
from registration.models import RegistrationState


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


class VerdictForm(forms.Form):
    """A reviewer's verdict on a registration."""

    verdict = forms.ChoiceField(
        label="Your verdict",
        widget=forms.RadioSelect,
        choices=[
            (RegistrationState.APPROVED, "Approve: the carrier has accepted it, the number may text"),
            (RegistrationState.CHANGES_REQUESTED, "Ask for changes before it goes to the carrier"),
            (RegistrationState.REJECTED, "Reject: the carrier has refused it"),
        ],
    )
    note = forms.CharField(
        label="What has to change, or why",
        required=False,
        max_length=250,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The business reads these words. Needed unless you approve.",
    )


class GiveNumberForm(forms.Form):
    """The number that an organization gets; fields are named as `give_number` takes them."""

    sender = forms.CharField(label="Number", max_length=30, help_text="With country code, as rented at the carrier.")
    segments_per_second = forms.DecimalField(
        label="Segments a second", min_value=Decimal("0.1"), max_value=Decimal(1000), initial=3, decimal_places=2
    )
    carrier_account_id = forms.TypedChoiceField(label="Carrier account", coerce=int)

    def __init__(self, *args: Any, accounts: Sequence[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["carrier_account_id"].choices = accounts  # type: ignore[attr-defined]

    def clean_sender(self) -> str:
        try:
            return to_e164(self.cleaned_data["sender"], country="US")
        except InvalidPhone as error:
            raise forms.ValidationError(str(error)) from error


class DeclineNumberForm(forms.Form):
    answer = forms.CharField(label="Why not, and what to do instead", max_length=200)
