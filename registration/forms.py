"""Registering a number, as a person fills it in."""

from typing import Any

from django import forms

from consent.rules.media import MEDIA, Medium

WHAT_IT_SHOWS = {
    Medium.WEB_FORM: "a screenshot of the form where a person adds the number and agrees",
    Medium.KEYWORD: "where the keyword is found",
    Medium.QR_CODE: "where the code is found, and the page it leads to",
    Medium.PAPER_FORM: "a photo of the form",
    Medium.VERBAL: "the script, and a record of an opt-in in your books",
    Medium.IVR: "the script, and a record of an opt-in in your books",
    Medium.OTP_FLOW: "the steps that lead to the first text",
}
"""What the document must show for each way of opting in (A3)."""


class RegistrationForm(forms.Form):
    """The questionnaire; every answer is needed."""

    use_case = forms.CharField(
        label="What will you text, and to whom?",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Such as: “Reminders of appointments to patients who asked for them.”",
    )
    sample_text = forms.CharField(
        label="A text as people will get it",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="With your name and the way to stop, as in a real one.",
    )
    opt_in_type = forms.ChoiceField(label="How do people agree?")
    evidence = forms.FileField(
        label="A document that shows it",
        help_text="PNG, JPEG, WebP, HEIC, PDF, MP3 or WAV, 10 MB at most.",
    )

    def __init__(self, *args: Any, has_evidence: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["opt_in_type"].choices = [  # type: ignore[attr-defined]
            (medium.value, f"{rule.label}: show {WHAT_IT_SHOWS[medium]}")
            for medium, rule in MEDIA.items()
            if medium in WHAT_IT_SHOWS
        ]
        if has_evidence:
            self.fields["evidence"].required = False
            self.fields["evidence"].help_text = "Leave this empty to keep the document you uploaded before."
