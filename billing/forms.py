"""Buying credits, as a person does it."""

from uuid import uuid4

from django import forms


class OrderForm(forms.Form):
    credits = forms.IntegerField(label="How many credits?", min_value=50, max_value=10_000_000, initial=1000)
    form_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
