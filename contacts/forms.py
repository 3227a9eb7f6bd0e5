"""Importing and lists, as a person asks for them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django import forms

from consent.models import Program
from consent.queries import programs
from consent.rules.media import MEDIA, Level, Medium
from contacts.actions import ContactContent
from contacts.actions.people import MOST_PHONES
from contacts.models import Contact, ContactPhone, CustomField, Existing, Import, PhoneLabel
from contacts.queries import phones_of
from contacts.rules.columns import LABELS, NEW, Field
from contacts.rules.countries import countries
from contacts.rules.fields import KIND_LABELS, LONGEST_TEXT, FieldKind
from contacts.rules.files import FileShape
from contacts.rules.former import COLUMN_LABELS, CONSENT_COLUMNS, OPT_OUT_COLUMNS
from contacts.rules.people import COLUMNS, LENGTHS
from content.rules.languages import LANGUAGES

_NEW_KINDS = {kind: label for kind, label in KIND_LABELS.items() if kind is not FieldKind.CHOICE}


_FOR_CONTACTS = [choice for choice in Existing.choices if choice[0] != Existing.APART]
_FOR_A_CAMPAIGN = [
    (Existing.APART.value, "are for this campaign only: nobody becomes a contact"),
    (Existing.UPDATE.value, "become contacts; who is one already takes over what the file says"),
    (Existing.FILL.value, "become contacts; of who is one already only what is empty is filled in"),
    (Existing.KEEP.value, "become contacts; who is one already stays as it is"),
]


class ListForm(forms.Form):
    name = forms.CharField(max_length=120, label="Name of the new list")


class FieldForm(forms.Form):
    """A field of the organization's own; what kind it is is said once, when it is made."""

    name = forms.CharField(max_length=80, label="Name", help_text="Such as: Next appointment.")
    kind = forms.ChoiceField(
        choices=[(kind.value, label) for kind, label in KIND_LABELS.items()], label="What it holds"
    )
    choices_text = forms.CharField(
        label="Choices", required=False, widget=forms.Textarea(attrs={"rows": 4}), help_text="One on each line."
    )

    def __init__(self, *args: Any, row: CustomField | None = None, **kwargs: Any) -> None:
        if row is not None:
            kwargs["initial"] = {"name": row.name, "choices_text": "\n".join(row.choices)}
        super().__init__(*args, **kwargs)
        if row is not None:
            del self.fields["kind"]
            if row.kind != FieldKind.CHOICE:
                del self.fields["choices_text"]

    def choices(self) -> list[str]:
        return str(self.cleaned_data.get("choices_text") or "").splitlines()


class FileForm(forms.Form):
    file = forms.FileField(
        label="Your file",
        help_text="A spreadsheet (XLSX, ODS) or a text file (CSV, TSV), one person on each row.",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx,.xls,.ods", "class": "drop"}),
    )


class ColumnSelects(forms.Form):
    """A choice for each column of a file: what it holds."""

    def _begin(self, shape: FileShape, guess: dict[int, str], labels: Mapping[str, str], home: str) -> None:
        """`labels` are all that may be chosen; `guess` is chosen beforehand, `home` the country where none is."""
        self._shape, self._guess, self._labels, self._home = shape, guess, labels, home

    def _add_columns(self, choices: Sequence[Any]) -> None:
        for column, heading in enumerate(self._shape.header):
            self.fields[f"column_{column}"] = forms.ChoiceField(
                choices=[("", "leave out"), *choices],
                label=heading or f"Column {column + 1}",
                widget=forms.Select(
                    attrs={"class": "form-select", "aria-label": f"What is in {heading or column + 1}"}
                ),
                required=False,
                initial=self._guess.get(column, ""),
            )

    def columns(self) -> Iterator[forms.BoundField]:
        """The fields of the file's columns, in their order."""
        return (self[f"column_{column}"] for column in range(len(self._shape.header)))

    def home(self) -> str:
        """The country chosen so far."""
        chosen = self.data.get("country", self._home) if self.is_bound else self._home
        return chosen if chosen in dict(countries()) else self._home

    def mapping(self) -> dict[int, str]:
        """Column number to field, as chosen so far or else as guessed; a field twice counts once, the first time."""
        if not self.is_bound:
            return self._guess
        found: dict[int, str] = {}
        for column in range(len(self._shape.header)):
            chosen = self.data.get(f"column_{column}", "")
            if chosen in self._labels and (chosen.startswith(NEW) or chosen not in found.values()):
                found[column] = chosen
        return found

    def clean(self) -> dict[str, Any] | None:
        chosen = [self.data.get(f"column_{column}", "") for column in range(len(self._shape.header))]
        for field in {value for value in chosen if value in self._labels and chosen.count(value) > 1}:
            if not field.startswith(NEW):
                self.add_error(None, f"Two columns say “{self._labels[field]}”. Leave one of them out.")
        if Field.PHONE not in chosen:
            self.add_error(None, "Say which column holds the phone number.")
        return super().clean()


class ColumnsForm(ColumnSelects):
    """What each column is, how the file is to be taken, and what the person states of everybody's consent."""

    existing = forms.ChoiceField(
        label="People who are contacts already", choices=Existing.choices, initial=Existing.UPDATE
    )
    country = forms.ChoiceField(label="Numbers without a country code are from", choices=countries)
    list_name = forms.CharField(label="Put them on a list", required=False, max_length=120, help_text="Empty: on none.")
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
    evidence = forms.FileField(
        label="Proof",
        required=False,
        help_text="A picture of the form, a scan, a PDF or a recording. Promotional texts need it.",
    )

    def __init__(
        self,
        *args: Any,
        shape: FileShape,
        guess: dict[int, str],
        own: dict[str, str],
        home: str,
        apart: bool = False,
        chosen: Mapping[str, object] | None = None,
        **kwargs: Any,
    ) -> None:
        """`own` are the organization's own fields, `custom.key` to name; `home` is its country.

        `apart`: the file is for a campaign, and its people need not become contacts. `chosen` is chosen beforehand.
        """
        kwargs["initial"] = {"country": home, **(chosen or {})}
        super().__init__(*args, **kwargs)
        new = {f"{NEW}{kind}": f"New field: {label}" for kind, label in _NEW_KINDS.items()}
        self._begin(shape, guess, {field.value: label for field, label in LABELS.items()} | own | new, home)
        if apart:
            self.fields["existing"].label = "The people of the file"
        self.fields["existing"].choices = _FOR_A_CAMPAIGN if apart else _FOR_CONTACTS  # type: ignore[attr-defined]
        self.fields["list_name"].widget.attrs["list"] = "lists"
        self.fields["program"].queryset = programs()  # type: ignore[attr-defined]
        self.fields["medium"].choices = [  # type: ignore[attr-defined]
            (medium.value, rule.label)
            for medium, rule in MEDIA.items()
            if rule.grants & {Level.INFORMATIONAL, Level.PROMOTIONAL} and medium is not Medium.DOUBLE_OPT_IN
        ]
        self._add_columns(
            [
                *LABELS.items(),
                *([("Your own fields", list(own.items()))] if own else []),
                ("Make a field", [(f"{NEW}{kind}", label) for kind, label in _NEW_KINDS.items()]),
            ]
        )

    def taking(self) -> Iterator[forms.BoundField]:
        """The fields that say how the file is to be taken."""
        return (self[name] for name in ("existing", "country", "list_name"))

    def statement(self) -> Iterator[forms.BoundField]:
        """The fields of the consent statement."""
        return (self[name] for name in ("program", "medium", "agreed_on", "how", "evidence"))


class FormerFileForm(FileForm):
    """A former provider's file, and what is in it."""

    kind = forms.ChoiceField(
        label="What is in the file?",
        choices=[choice for choice in Import.Kind.choices if choice[0] != Import.Kind.PEOPLE],
        widget=forms.RadioSelect,
        initial=Import.Kind.OPT_OUTS,
    )
    field_order = ("kind", "file")


class FormerColumnsForm(ColumnSelects):
    """What each column of a former provider's file is; of opt-outs a day, of consents a program and the words."""

    country = forms.ChoiceField(label="Numbers without a country code are from", choices=countries)
    stopped_by = forms.DateField(
        label="By which day had they all said stop, at the latest?",
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Counts where a row names no day of its own. Who came back to you after that day stays back.",
    )
    program: "forms.ModelChoiceField[Program]" = forms.ModelChoiceField(
        queryset=None, label="What did these people agree to get?", empty_label="Choose a program"
    )
    how = forms.CharField(
        label="In your words",
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Such as: “As our former provider Acme exported it.”",
    )

    def __init__(
        self, *args: Any, kind: str, shape: FileShape, guess: dict[int, str], home: str, **kwargs: Any
    ) -> None:
        kwargs["initial"] = {"country": home}
        super().__init__(*args, **kwargs)
        consents = kind == Import.Kind.CONSENTS
        labels = {one.value: COLUMN_LABELS[one] for one in (CONSENT_COLUMNS if consents else OPT_OUT_COLUMNS)}
        self._begin(shape, guess, labels, home)
        for name in ("stopped_by",) if consents else ("program", "how"):
            del self.fields[name]
        if consents:
            self.fields["program"].queryset = programs()  # type: ignore[attr-defined]
        self._add_columns(list(labels.items()))

    def about(self) -> Iterator[forms.BoundField]:
        """The fields beside the columns."""
        return (self[name] for name in self.fields if not name.startswith("column_"))


class ContactForm(forms.Form):
    """A person with phones (one empty row more) and the organization's own fields."""

    first_name = forms.CharField(required=False, max_length=LENGTHS["first_name"])
    last_name = forms.CharField(required=False, max_length=LENGTHS["last_name"])
    company = forms.CharField(required=False, max_length=LENGTHS["company"])
    email = forms.EmailField(required=False, label="E-mail")
    language = forms.ChoiceField(required=False, choices=[("", "not known"), *LANGUAGES.items()])
    city = forms.CharField(required=False, max_length=LENGTHS["city"])
    region = forms.CharField(required=False, max_length=LENGTHS["region"], label="State or region")
    postcode = forms.CharField(required=False, max_length=LENGTHS["postcode"])
    country = forms.ChoiceField(required=False, choices=lambda: [("", "not known"), *countries()])
    time_zone = forms.CharField(
        required=False,
        max_length=64,
        help_text="Such as America/New_York. Empty: as the postcode or the phone say.",
    )

    def __init__(self, *args: Any, contact: Contact | None, own: Sequence[CustomField], **kwargs: Any) -> None:
        phones = phones_of(contact) if contact is not None else []
        kwargs["initial"] = {name: getattr(contact, name) for name in COLUMNS} if contact is not None else {}
        super().__init__(*args, **kwargs)
        self._own = [field.key for field in own]
        for name in ("language", "country"):  # what a file brought stays, also where nobody would choose it
            said = kwargs["initial"].get(name, "")
            known = list(self.fields[name].choices)  # type: ignore[attr-defined]
            if said not in dict(known):
                self.fields[name].choices = [*known, (said, said)]  # type: ignore[attr-defined]
        self._rows = max(min(len(phones) + 1, MOST_PHONES), len(phones))
        for place in range(self._rows):
            row = phones[place] if place < len(phones) else None
            self.fields[f"phone_{place}"] = forms.CharField(
                required=False,
                max_length=30,
                label="Phone" if row else "Another phone" if phones else "Phone",
                initial=row.phone if row else "",  # with its country: the contact's may be another
                widget=forms.TextInput(attrs={"type": "tel"}),
            )
            self.fields[f"label_{place}"] = forms.ChoiceField(
                choices=PhoneLabel.choices, label="Kind", initial=row.label if row else _next_label(phones)
            )
        for field in own:
            value = contact.custom.get(field.key, "") if contact is not None else ""
            self.fields[f"custom_{field.key}"] = _field_for(field, value)

    def phones(self) -> Iterator[tuple[forms.BoundField, forms.BoundField]]:
        """Each phone with its kind."""
        return ((self[f"phone_{place}"], self[f"label_{place}"]) for place in range(self._rows))

    def own(self) -> list[forms.BoundField]:
        """The organization's own fields."""
        return [self[f"custom_{key}"] for key in self._own]

    def about(self) -> Iterator[forms.BoundField]:
        """Who it is and where."""
        return (self[name] for name in self.base_fields)

    def content(self) -> ContactContent:
        found = self.cleaned_data
        return ContactContent(
            values={name: found[name] for name in COLUMNS},
            phones=[(found[f"label_{place}"], found[f"phone_{place}"]) for place in range(self._rows)],
            custom={key: found[f"custom_{key}"] for key in self._own},
        )


def _next_label(phones: Sequence[ContactPhone]) -> str:
    """The kind that no phone has yet: what is texted is the mobile one."""
    taken = {row.label for row in phones}
    return next((label for label in PhoneLabel.values if label not in taken), PhoneLabel.OTHER.value)


def _field_for(field: CustomField, value: object) -> forms.Field:
    if field.kind in (FieldKind.CHOICE, FieldKind.YES_NO):
        known = list(field.choices) if field.kind == FieldKind.CHOICE else ["yes", "no"]
        if value and value not in known:  # a choice that was taken away stays with whom it is of
            known.append(str(value))
        return forms.ChoiceField(
            required=False, label=field.name, initial=value, choices=[("", "not known"), *((one, one) for one in known)]
        )
    kinds = {FieldKind.DATE.value: "date", FieldKind.NUMBER.value: "text"}
    widget = forms.TextInput(attrs={"type": kinds.get(field.kind, "text")})
    return forms.CharField(required=False, label=field.name, initial=value, max_length=LONGEST_TEXT, widget=widget)
