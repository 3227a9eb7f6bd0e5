"""Importing, as a person asks for it."""

from typing import Any

from django import forms

from consent.models import Program
from consent.rules.media import MEDIA, Level, Medium


class ImportForm(forms.Form):
    """The file, and what the person states of the consent of everybody in it."""

    file = forms.FileField(label="Your file", help_text="CSV with a heading line; one column holds phone numbers.")
    program: "forms.ModelChoiceField[Program]" = forms.ModelChoiceField(
        queryset=None, label="What did these people agree to get?", empty_label=None
    )
    medium = forms.ChoiceField(label="How did they agree?")
    agreed_on = forms.DateField(
        label="Since when at the latest?",
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="The day by which all had agreed.",
    )
    how = forms.CharField(
        label="In your words",
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Such as: “They ticked the box on our order page.”",
    )
    list_name = forms.CharField(label="Put them on a list", required=False, max_length=120, help_text="Empty: on none.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["program"].queryset = Program.objects.order_by("name")  # type: ignore[attr-defined]
        self.fields["medium"].choices = [  # type: ignore[attr-defined]
            (medium.value, rule.label)
            for medium, rule in MEDIA.items()
            if rule.grants & {Level.INFORMATIONAL, Level.PROMOTIONAL} and medium is not Medium.DOUBLE_OPT_IN
        ]
