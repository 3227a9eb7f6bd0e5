"""Signing up, templates, and what staff decide."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.http import HttpRequest

from accounts.actions import LONGEST_TEXT, Settings
from accounts.models import STOP_SCOPES, Organization, User
from common.clock import now
from common.errors import DomainError
from common.phones import InvalidPhone, to_e164
from consent.actions import check_stop_word
from consent.rules.law import day
from consent.rules.media import MEDIA, Level, Medium
from consent.rules.projection import CONVERSATIONAL
from content.actions import TemplateContent
from content.models import Template, TemplateVersion
from content.rules.languages import LANGUAGES
from dashboard.actions import open_organization
from registration.models import RegistrationState
from senders.models import SenderKind
from senders.rules.names import InvalidName, sender_name


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


class DayOffForm(forms.Form):
    """A day without promotional texts; fields are named as `close_day` takes them."""

    day = forms.DateField(label="Day", widget=forms.DateInput(attrs={"type": "date"}))
    name = forms.CharField(label="What for (people you text never see it)", required=False, max_length=60)


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
    """The number or name that an organization gets; fields are named as `give_number` takes them."""

    sender = forms.CharField(label="Number", max_length=30, help_text="With country code, as rented at the carrier.")
    segments_per_second = forms.DecimalField(
        label="Segments a second", min_value=Decimal("0.1"), max_value=Decimal(1000), initial=3, decimal_places=2
    )
    can_mms = forms.BooleanField(label="It can send pictures (MMS)", required=False)
    carrier_account_id = forms.TypedChoiceField(label="Carrier account", coerce=int)

    def __init__(self, *args: Any, kind: SenderKind, accounts: Sequence[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._kind = kind
        if kind == SenderKind.ALPHANUMERIC:
            self.fields["sender"].label = "Name"
            self.fields["sender"].help_text = "As people see it: 2 to 11 letters, digits and spaces."
            del self.fields["can_mms"]
        self.fields["carrier_account_id"].choices = accounts  # type: ignore[attr-defined]

    def clean_sender(self) -> str:
        try:
            if self._kind == SenderKind.ALPHANUMERIC:
                return sender_name(self.cleaned_data["sender"])
            return to_e164(self.cleaned_data["sender"], country="US")
        except (InvalidPhone, InvalidName) as error:
            raise forms.ValidationError(str(error)) from error


class DeclineNumberForm(forms.Form):
    answer = forms.CharField(label="Why not, and what to do instead", max_length=200)


class TemplateForm(forms.Form):
    """A template with a text for each language; one empty row more, for another."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    name = forms.CharField(max_length=120, label="Name")
    label = forms.CharField(
        max_length=60, label="Label", required=False, help_text="Groups it with others, such as “Reminders”."
    )
    shared = forms.ChoiceField(
        choices=[("yes", "Everybody here"), ("no", "Only me")], widget=forms.RadioSelect, label="Who can use it?"
    )
    default_language = forms.ChoiceField(
        choices=list(LANGUAGES.items()),
        label="Default language",
        help_text="Used where a language has no text of its own.",
    )

    def __init__(
        self, *args: Any, template: Template | None, version: TemplateVersion | None, may_share: bool, **kwargs: Any
    ) -> None:
        bodies: dict[str, str] = version.bodies if version else {}
        default = template.default_language if template else "en"
        kwargs["initial"] = {
            "name": template.name if template else "",
            "label": template.label if template else "",
            "shared": "yes" if (template.owner_id is None if template else may_share) else "no",
            "version": version.number if version else 0,
            "default_language": default,
        }
        super().__init__(*args, **kwargs)
        if not may_share:
            shared = template is not None and template.owner_id is None
            only = ("yes", "Everybody here") if shared else ("no", "Only me")
            self.fields["shared"].choices = [only]  # type: ignore[attr-defined]
        rows = [(default, bodies.get(default, ""))]
        rows += [(language, body) for language, body in bodies.items() if language != default]
        if bodies:
            rows.append(("", ""))
        if self.is_bound:
            rows = [("", "")] * max(sum(name.startswith("body_") for name in self.data), 1)
        self._rows = len(rows)
        for place, (language, body) in enumerate(rows):
            self.fields[f"language_{place}"] = forms.ChoiceField(
                choices=[("", "Choose a language"), *LANGUAGES.items()],
                label="Language",
                initial=language,
                required=False,
            )
            self.fields[f"body_{place}"] = forms.CharField(
                label="Text",
                required=False,
                strip=False,
                initial=body,
                widget=forms.Textarea(attrs={"rows": 4}),
            )

    def texts(self) -> Iterator[tuple[forms.BoundField, forms.BoundField]]:
        """Each language with its text."""
        return ((self[f"language_{place}"], self[f"body_{place}"]) for place in range(self._rows))

    def clean(self) -> dict[str, Any] | None:
        found = super().clean() or self.cleaned_data
        chosen = []
        for place in range(self._rows):
            language, body = found.get(f"language_{place}", ""), found.get(f"body_{place}", "")
            if body.strip() and not language:
                self.add_error(f"language_{place}", "Choose the language of this text.")
            if body.strip() and language in chosen:
                self.add_error(f"language_{place}", "There is a text in this language already. Keep one of them.")
            if body.strip():
                chosen.append(language)
        return found

    def content(self) -> TemplateContent:
        found = self.cleaned_data
        return TemplateContent(
            name=found["name"],
            bodies={
                found[f"language_{place}"]: found[f"body_{place}"]
                for place in range(self._rows)
                if found[f"body_{place}"].strip()
            },
            default_language=found["default_language"],
            label=found["label"],
            shared=found["shared"] == "yes",
        )


class SettingsForm(forms.Form):
    """What an organization decides about its texts."""

    message_char_limit = forms.IntegerField(
        label="Longest text, in characters",
        min_value=1,
        max_value=LONGEST_TEXT,
        help_text="The words that say how to stop are counted. Usual: 160 (one segment), 480 (three), 600, 1600.",
    )
    opt_out_word = forms.CharField(
        max_length=40, label="Word to stop", help_text="Added to each text where a campaign has no word of its own."
    )
    stop_scope = forms.ChoiceField(
        label="What does STOP stop?",
        choices=STOP_SCOPES,
        help_text=f"From {day('scope_of_stop_on'):%B %-d, %Y} a STOP counts for unrelated programs too, says the FCC.",
    )
    approval_above = forms.IntegerField(
        label="A second person approves campaigns to more than so many people",
        required=False,
        min_value=0,
        max_value=100_000_000,
        help_text="Empty: nobody needs approval. Only the owner can make it laxer.",
    )

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        self._organization = organization
        kwargs["initial"] = {name: getattr(organization, name) for name in self.base_fields}
        super().__init__(*args, **kwargs)

    def clean_opt_out_word(self) -> str:
        word: str = self.cleaned_data["opt_out_word"].strip()
        try:
            check_stop_word(word)
        except DomainError as error:
            raise forms.ValidationError(str(error)) from error
        return word

    def settings(self) -> Settings:
        found = self.cleaned_data
        return Settings(
            message_char_limit=found["message_char_limit"],
            opt_out_word=found["opt_out_word"],
            approval_above=found["approval_above"],
            stop_scope=found["stop_scope"],
        )


class ConsentForm(forms.Form):
    """What a person of the organization notes of somebody's consent (B5)."""

    phone = forms.ChoiceField(label="Phone")
    what = forms.ChoiceField(
        label="What happened?",
        widget=forms.RadioSelect,
        choices=[
            ("agreed", "They agreed, and I can prove it"),
            ("withdrew", "They take it back"),
            ("ask", "They asked for it: text them to confirm (double opt-in)"),
        ],
    )
    program = forms.TypedChoiceField(label="To what?", coerce=int)
    medium = forms.ChoiceField(
        label="How did they agree, or ask for it?",
        choices=[
            (medium.value, rule.label)
            for medium, rule in MEDIA.items()
            if rule.grants - {Level.CONVERSATIONAL} and medium is not Medium.DOUBLE_OPT_IN
        ],
        required=False,
    )
    at = forms.DateField(label="When?", widget=forms.DateInput(attrs={"type": "date"}))
    reason = forms.CharField(
        label="Where, and how do you know?", max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )
    evidence = forms.FileField(
        label="Proof",
        required=False,
        help_text="A photo, scan, PDF or recording. Needed for promotional texts, for paper, and for what was spoken "
        "(the script).",
    )
    number = forms.TypedChoiceField(label="Ask from", coerce=int, required=False, empty_value=None)

    def __init__(
        self,
        *args: Any,
        phones: Sequence[tuple[str, str]],
        programs: Sequence[tuple[int, str]],
        numbers: Sequence[tuple[int, str]],
        zone: ZoneInfo,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._zone = zone
        self.fields["phone"].choices = phones  # type: ignore[attr-defined]
        self.fields["program"].choices = programs  # type: ignore[attr-defined]
        self.fields["number"].choices = [("", "choose a number"), *numbers]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("what") != "withdrew" and not cleaned.get("medium"):
            self.add_error("medium", "Choose how they agreed.")
        if cleaned.get("what") != "withdrew" and cleaned.get("program") == CONVERSATIONAL:
            self.add_error("program", "A conversation is begun by the person, with a text. Choose a program.")
        if cleaned.get("what") == "ask" and not cleaned.get("number"):
            self.add_error("number", "Choose the number that asks them.")
        return cleaned

    def moment(self) -> datetime:
        """The beginning of the day in the organization's zone; of today: now."""
        day = self.cleaned_data["at"]
        if day == now().astimezone(self._zone).date():
            return now()
        return datetime.combine(day, datetime.min.time(), tzinfo=self._zone)
