"""Asking for a number, as a person does it."""

from typing import Any

from django import forms

from accounts.models import Department
from accounts.queries import departments
from senders.models import SenderKind

KINDS = [
    (SenderKind.TOLL_FREE, "Toll-free (8xx): known across the country"),
    (SenderKind.LOCAL, "Local: with an area code of your choice"),
    (
        SenderKind.ALPHANUMERIC,
        "Your company's name: nobody can answer it, and phones in North America cannot get its texts",
    ),
]


class NumberRequestForm(forms.Form):
    kind = forms.ChoiceField(choices=KINDS, label="What kind of number?", widget=forms.RadioSelect, initial="TOLL_FREE")
    wish = forms.CharField(
        label="Anything we should know?",
        required=False,
        max_length=200,
        help_text="An area code, a number that you have elsewhere and want to bring along, or the name.",
    )
    department: "forms.ModelChoiceField[Department]" = forms.ModelChoiceField(
        queryset=None, label="Whose inbox gets the replies?", empty_label=None
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["department"].queryset = departments()  # type: ignore[attr-defined]
