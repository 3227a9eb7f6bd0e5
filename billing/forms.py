"""Buying credits, as a person does it."""

from django import forms


class OrderForm(forms.Form):
    credits = forms.IntegerField(label="How many credits?", min_value=50, max_value=10_000_000, initial=1000)
