"""Programs, as a person writes them."""

from django import forms

from consent.rules.media import Level


class ProgramForm(forms.Form):
    name = forms.CharField(max_length=120, label="What is it called?", help_text="Such as “Office updates”.")
    level = forms.ChoiceField(
        choices=[
            (Level.INFORMATIONAL, "Information: reminders, opening hours, answers"),
            (Level.PROMOTIONAL, "Promotion: offers and news that sell something"),
        ],
        label="What do people get?",
    )
    opt_in_text = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 4}),
        label="The words people agreed to",
        help_text="As on your form: your name, how often you text, “Msg & data rates may apply”, HELP, STOP, "
        "and where terms and privacy are found.",
    )
