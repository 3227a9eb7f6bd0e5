"""The composer, as a form that works without any script. It takes what is typed so far, whole or not."""

from collections.abc import Iterator, Sequence
from datetime import datetime, time
from typing import Any
from uuid import uuid4

from django import forms

from accounts.queries import current_organization
from audiences.models import TargetGroup
from audiences.queries import Audience, target_groups
from campaigns.actions import DraftContent, DraftOrigin
from campaigns.models import Campaign, Outreach
from common.phones import InvalidPhone, to_e164
from consent.models import Program
from consent.queries import programs
from consent.rules.lawful_hours import ALWAYS, DAY, Weekly
from contacts.models import ContactList, Import, PhoneLabel
from contacts.queries import contact_lists
from content.actions.templates import LONGEST_BODY
from content.models import Template
from content.queries import templates
from content.rules.languages import LANGUAGES
from senders.models import NumberStatus, SenderNumber
from senders.queries import numbers, registered_numbers

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


MOST_AN_HOUR = 100_000
"""Beyond it is no limit worth the name: some 28 a second."""

_READ_AS = {
    **{name: name for name in ("body", "starts_at", "ends_at", "hourly_limit")},
    "hours": "sending_hours",
    "whom": "audience",
}
"""Fields whose faults keep what is stored, and what that is called in a draft."""


class PicturesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class NumberSelect(forms.Select):
    """The numbers that may start a campaign; below them, greyed, those that are not registered yet.

    A name says so: the way out is counted another way then.
    """

    others: Sequence[SenderNumber] = ()

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        number = getattr(value, "instance", None)
        if number is not None and number.is_name:
            option["attrs"]["data-name"] = ""
        return option

    def optgroups(self, name: str, value: list[str], attrs: dict[str, Any] | None = None) -> list[Any]:
        groups = super().optgroups(name, value, attrs)
        for index, number in enumerate(self.others, start=len(groups)):
            words = f"{number} – {number.get_status_display().lower()}"
            option = self.create_option(name, number.id, words, False, index, attrs={"disabled": True})
            groups.append((None, [option], index))
        return groups


OF_FILE = "file:"
"""Before the id of an import, where whom it is for is chosen."""


class TimesForm(forms.Form):
    """When an outreach begins and ends (C5)."""

    start = forms.ChoiceField(
        choices=[("now", "As soon as you confirm"), ("later", "On a day and time")],
        widget=forms.RadioSelect,
        initial="now",
        required=False,
        label="Start",
    )
    starts_at = forms.DateTimeField(
        label="Day and time",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    ends_at = forms.DateTimeField(
        label="End",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text="Who has not got the text by then gets none. Empty: until everybody has it.",
    )

    def clean(self) -> dict[str, Any] | None:
        found = super().clean() or self.cleaned_data
        if found.get("start") == "later" and not found.get("starts_at") and "starts_at" not in self.errors:
            self.add_error("starts_at", "Choose the day and the time.")
        if self.data.get("start") != "later":  # what is hidden holds up nothing
            self.errors.pop("starts_at", None)
        begins, ends = self.begins_at(), found.get("ends_at")
        if begins and ends and ends <= begins:
            self.add_error("ends_at", "The end lies before the start. Choose a later end or none.")
        return found

    def begins_at(self) -> datetime | None:
        """When it begins; None: as soon as it is confirmed."""
        return self.cleaned_data.get("starts_at") if self.data.get("start") == "later" else None


class AudienceForm(TimesForm):
    """Whom an outreach is for, on which phone, and when it begins."""

    whom = forms.ChoiceField(
        choices=[("everyone", "All contacts"), ("lists", "People on lists or in target groups")],
        widget=forms.RadioSelect,
        initial="everyone",
        required=False,
        label="Whom",
    )
    lists: "forms.ModelMultipleChoiceField[ContactList]" = forms.ModelMultipleChoiceField(
        queryset=None, label="Lists", required=False, widget=forms.CheckboxSelectMultiple
    )
    groups: "forms.ModelMultipleChoiceField[TargetGroup]" = forms.ModelMultipleChoiceField(
        queryset=None, label="Target groups", required=False, widget=forms.CheckboxSelectMultiple
    )
    phone_label = forms.ChoiceField(
        choices=PhoneLabel.choices, label="Which phone of theirs", required=False, initial=PhoneLabel.MOBILE
    )

    def __init__(self, *args: Any, uploads: Sequence[Import] = (), **kwargs: Any) -> None:
        """`uploads` are files of the campaign whose people became no contacts."""
        super().__init__(*args, **kwargs)
        self.fields["lists"].queryset = contact_lists()  # type: ignore[attr-defined]
        self.fields["groups"].queryset = target_groups()  # type: ignore[attr-defined]
        files = [(f"{OF_FILE}{one.id}", f"The people of {one.file.name}") for one in uploads]
        self.fields["whom"].choices = [*self.fields["whom"].choices, *files]  # type: ignore[attr-defined]

    def audience(self) -> Audience:
        """Whom it is for, as far as that is chosen."""
        found = self.cleaned_data
        label, whom = found.get("phone_label") or PhoneLabel.MOBILE, found.get("whom") or ""
        if whom.startswith(OF_FILE):
            return Audience(False, import_id=int(whom.removeprefix(OF_FILE)), label=label)
        if whom == "everyone":
            return Audience(label=label)
        # Whatever is not said is nobody: never everybody.
        lists, groups = (tuple(chosen.id for chosen in found.get(name) or ()) for name in ("lists", "groups"))
        return Audience(False, lists, groups, label=label)


class CampaignForm(AudienceForm):
    """Message, audience and hours; whether it could be sent is said by the actions."""

    form_id = forms.UUIDField(widget=forms.HiddenInput)
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    window = forms.UUIDField(widget=forms.HiddenInput, required=False)
    former = forms.UUIDField(widget=forms.HiddenInput, required=False)
    step = forms.IntegerField(widget=forms.HiddenInput, min_value=0, required=False)
    name = forms.CharField(max_length=120, label="Campaign name", required=False)
    description = forms.CharField(
        label="Description",
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="For you and your colleagues; nobody else reads it.",
    )
    number: "forms.ModelChoiceField[SenderNumber]" = forms.ModelChoiceField(
        queryset=None, label="From", empty_label="Choose a number", required=False, widget=NumberSelect
    )
    program: "forms.ModelChoiceField[Program]" = forms.ModelChoiceField(
        queryset=None,
        label="Program",
        empty_label="Choose a program",
        required=False,
        help_text="Only people who agreed to it get the text.",
    )
    language = forms.ChoiceField(
        choices=list(LANGUAGES.items()),
        label="Language",
        required=False,
        help_text="A template is used in this language, where it has it.",
    )
    template: "forms.ModelChoiceField[Template]" = forms.ModelChoiceField(
        queryset=None, label="Begin with a template", empty_label="No template", required=False
    )
    replace = forms.BooleanField(label="Replace the text that is there", required=False)
    body = forms.CharField(
        label="Text",
        required=False,
        strip=False,
        max_length=LONGEST_BODY,
        error_messages={"max_length": "The text has %(show_value)s characters: far more than can be sent. Shorten it."},
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="{{ first_name|there }} becomes each person's name; “there” where it is unknown.",
    )
    pictures = forms.FileField(
        label="Pictures",
        required=False,
        widget=PicturesInput(attrs={"accept": "image/jpeg,image/png,image/gif"}),
        help_text="JPEG, PNG or GIF up to 5 MB each, ten at most. A text with pictures costs 2 credits.",
    )
    opt_out_word = forms.CharField(
        max_length=40,
        label="Word to stop",
        required=False,
        help_text="Added to each text: “Reply STOP to stop.” Empty: your organization's own. From a name: a link.",
    )
    plain_characters = forms.BooleanField(
        label="Write curly quotes, long dashes and the like plainly, where the text needs no Unicode then",
        required=False,
        initial=True,
    )
    hours = forms.ChoiceField(
        choices=[("any", "At any lawful hour"), ("given", "Only at these hours of each person's own day")],
        widget=forms.RadioSelect,
        initial="any",
        required=False,
        label="Hours",
    )

    hourly_limit = forms.IntegerField(
        label="At most so many an hour",
        required=False,
        min_value=1,
        max_value=MOST_AN_HOUR,
        help_text="Evenly over the hour, so that you can answer the replies. Empty: as fast as the number allows.",
    )

    def __init__(self, *args: Any, user_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["number"].queryset = registered_numbers()  # type: ignore[attr-defined]
        self.unregistered = list(numbers().exclude(status=NumberStatus.REGISTERED))
        self.fields["number"].widget.others = self.unregistered
        self.fields["opt_out_word"].widget.attrs["placeholder"] = current_organization().opt_out_word
        self.fields["template"].queryset = templates(user_id)  # type: ignore[attr-defined]
        self.fields["program"].queryset = programs()  # type: ignore[attr-defined]
        for at, day in enumerate(DAYS):
            for name, words in (("opens", "opens"), ("closes", "closes")):
                widget = forms.TimeInput(attrs={"type": "time", "aria-label": f"{day} {words}"}, format="%H:%M")
                self.fields[f"{name}_{at}"] = forms.TimeField(required=False, widget=widget, label=f"{day} {words}")

    def week(self) -> Iterator[tuple[str, forms.BoundField, forms.BoundField]]:
        """The days with their fields of opening and closing."""
        return ((day, self[f"opens_{at}"], self[f"closes_{at}"]) for at, day in enumerate(DAYS))

    def clean(self) -> dict[str, Any] | None:
        found = super().clean() or self.cleaned_data
        if self.data.get("hours") != "given":
            for name in [name for name in self.errors if name.startswith(("opens_", "closes_"))]:
                del self.errors[name]
            return found
        for at, day in enumerate(DAYS):
            opens, closes = found.get(f"opens_{at}"), found.get(f"closes_{at}")
            unread = f"opens_{at}" in self.errors or f"closes_{at}" in self.errors
            half = (opens is None) != (closes is None)
            if unread or half or (opens and closes and closes != time(0) and closes <= opens):
                self.add_error("hours", f"{day} needs an opening and a later closing time, or neither.")
        return found

    def origin(self) -> DraftOrigin:
        found = self.cleaned_data
        return DraftOrigin(
            form_id=found.get("form_id") or uuid4(),
            revision=found.get("revision") or 0,
            window=found.get("window"),
            step=found.get("step") or 0,
            former=found.get("former"),
        )

    def content(self) -> DraftContent:
        """What is typed so far; what cannot be read is left out of it."""
        found = self.cleaned_data
        return DraftContent(
            name=found.get("name") or "",
            program=found.get("program"),
            number=found.get("number"),
            body=found.get("body") or "",
            opt_out_word=found.get("opt_out_word") or "",
            plain_characters=bool(found.get("plain_characters")),
            description=found.get("description") or "",
            language=found.get("language") or "en",
            audience=self.audience(),
            sending_hours=self._weekly(),
            hourly_limit=found.get("hourly_limit"),
            starts_at=self.begins_at(),
            ends_at=found.get("ends_at"),
            unreadable=frozenset(name for field, name in _READ_AS.items() if field in self.errors),
        )

    def _weekly(self) -> Weekly:
        if self.data.get("hours") != "given":
            return ALWAYS
        return tuple(self._day(at) for at in range(len(DAYS)))

    def _day(self, at: int) -> tuple[int, int] | None:
        opens, closes = self.cleaned_data.get(f"opens_{at}"), self.cleaned_data.get(f"closes_{at}")
        if opens is None or closes is None:
            return None
        until = _minutes(closes) or DAY
        return (_minutes(opens), until) if until > _minutes(opens) else None


def initial_of(campaign: Campaign, outreach: Outreach) -> dict[str, Any]:
    """A draft as the form shows it."""
    always = campaign.sending_hours == [list(row) for row in ALWAYS if row]
    initial: dict[str, Any] = {
        "form_id": campaign.form_id,
        "revision": campaign.revision,
        "name": campaign.name,
        "number": campaign.sender_number_id,
        "program": campaign.program_id,
        "body": campaign.body,
        "opt_out_word": campaign.opt_out_word,
        "plain_characters": campaign.plain_characters,
        "description": campaign.description,
        "language": campaign.language,
        "phone_label": outreach.phone_label,
        "whom": whom_of(outreach),
        "lists": outreach.list_ids,
        "groups": outreach.group_ids,
        **times_of(outreach),
        "hours": "any" if always else "given",
        "hourly_limit": campaign.hourly_limit,
    }
    for at, row in enumerate(campaign.sending_hours):
        if row and not always:
            initial |= {f"opens_{at}": _time(row[0]), f"closes_{at}": _time(row[1] % DAY)}
    return initial


def times_of(outreach: Outreach) -> dict[str, Any]:
    """When an outreach begins and ends, as the form shows it."""
    start = "later" if outreach.starts_at else "now"
    return {"start": start, "starts_at": outreach.starts_at, "ends_at": outreach.ends_at}


def whom_of(outreach: Outreach) -> str:
    """What is chosen under "whom"."""
    if outreach.import_id is not None:
        return f"{OF_FILE}{outreach.import_id}"
    return "everyone" if outreach.everyone else "lists"


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute


def _time(minutes: int) -> time:
    return time(minutes // 60, minutes % 60)


class OwnPhoneForm(forms.Form):
    """Where tests go."""

    phone = forms.CharField(label="Your mobile phone", max_length=30, help_text="A code is texted to it, once.")

    def clean_phone(self) -> str:
        try:
            return to_e164(self.cleaned_data["phone"], country=current_organization().default_country)
        except InvalidPhone as error:
            raise forms.ValidationError(str(error)) from error


class CodeForm(forms.Form):
    """Whether it is theirs."""

    code = forms.CharField(
        label="The code on your phone",
        max_length=12,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )


class TestForm(forms.Form):
    """Sent twice it is one test."""

    form_id = forms.UUIDField(widget=forms.HiddenInput)
