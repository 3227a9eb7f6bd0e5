"""The composer, as a form that works without any script."""

from typing import Any

from django import forms

from audiences.queries import Audience
from consent.models import Program
from consent.queries import programs
from contacts.models import ContactList
from contacts.queries import contact_lists
from senders.models import SenderNumber
from senders.queries import registered_numbers


class CampaignForm(forms.Form):
    """Message and audience; what the text may not be is said by the action."""

    name = forms.CharField(max_length=120, label="Campaign name")
    number: "forms.ModelChoiceField[SenderNumber]" = forms.ModelChoiceField(
        queryset=None, label="From", empty_label=None
    )
    program: "forms.ModelChoiceField[Program]" = forms.ModelChoiceField(
        queryset=None, label="Program", empty_label=None, help_text="Only people who agreed to it get the text."
    )
    body = forms.CharField(
        label="Text",
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="{{ first_name|there }} becomes each person's name; “there” where it is unknown.",
    )
    opt_out_word = forms.CharField(
        max_length=40, label="Word to stop", initial="STOP", help_text="Added to each text: “Reply STOP to stop.”"
    )
    lists: "forms.ModelMultipleChoiceField[ContactList]" = forms.ModelMultipleChoiceField(
        queryset=None, label="Lists", required=False, help_text="None chosen: all contacts."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["number"].queryset = registered_numbers()  # type: ignore[attr-defined]
        self.fields["program"].queryset = programs()  # type: ignore[attr-defined]
        self.fields["lists"].queryset = contact_lists()  # type: ignore[attr-defined]

    def audience(self) -> Audience:
        ids = tuple(chosen.id for chosen in self.cleaned_data["lists"])
        return Audience(everyone=not ids, list_ids=ids)
