"""Answering."""

from uuid import uuid4

from django import forms


class ReplyForm(forms.Form):
    """The answer, with a name of its own: sent twice it is one answer."""

    body = forms.CharField(label="Your answer", widget=forms.Textarea(attrs={"rows": 3}))
    template_version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    form_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
