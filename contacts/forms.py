"""Importing and lists, as a person asks for them."""

from collections.abc import Iterator
from typing import Any

from django import forms

from consent.models import Program
from consent.queries import programs
from consent.rules.media import MEDIA, Level, Medium
from contacts.rules.columns import LABELS, Field, guess_mapping
from contacts.rules.files import FileShape


class ListForm(forms.Form):
    name = forms.CharField(max_length=120, label="Name of the new list")


class FileForm(forms.Form):
    file = forms.FileField(label="Your file", help_text="CSV with a heading line; one column holds phone numbers.")


class ColumnsForm(forms.Form):
    """What each column is, and what the person states of the consent of everybody in the file."""

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

    def __init__(self, *args: Any, shape: FileShape, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._shape = shape
        self._guess = guess_mapping(shape.header)
        self.fields["program"].queryset = programs()  # type: ignore[attr-defined]
        self.fields["medium"].choices = [  # type: ignore[attr-defined]
            (medium.value, rule.label)
            for medium, rule in MEDIA.items()
            if rule.grants & {Level.INFORMATIONAL, Level.PROMOTIONAL} and medium is not Medium.DOUBLE_OPT_IN
        ]
        for column, heading in enumerate(shape.header):
            self.fields[f"column_{column}"] = forms.ChoiceField(
                choices=[("", "leave out"), *LABELS.items()],
                label=heading or f"Column {column + 1}",
                required=False,
                initial=self._guess.get(column, ""),
            )

    def columns(self) -> Iterator[forms.BoundField]:
        """The fields of the file's columns, in their order."""
        return (self[f"column_{column}"] for column in range(len(self._shape.header)))

    def statement(self) -> Iterator[forms.BoundField]:
        """The fields of the consent statement."""
        return (self[name] for name in ("program", "medium", "agreed_on", "how", "list_name"))

    def mapping(self) -> dict[int, Field]:
        """Column number to field, as chosen so far or else as guessed; a field twice counts once, the first time."""
        if not self.is_bound:
            return self._guess
        found: dict[int, Field] = {}
        for column in range(len(self._shape.header)):
            chosen = self.data.get(f"column_{column}", "")
            if chosen in LABELS and chosen not in found.values():
                found[column] = Field(chosen)
        return found

    def clean(self) -> dict[str, Any] | None:
        chosen = [self.data.get(f"column_{column}", "") for column in range(len(self._shape.header))]
        for field in {value for value in chosen if value and chosen.count(value) > 1}:
            self.add_error(None, f"Two columns say “{LABELS[Field(field)]}”. Leave one of them out.")
        if Field.PHONE not in chosen:
            self.add_error(None, "Say which column holds the phone number that is texted.")
        return super().clean()
