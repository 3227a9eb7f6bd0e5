"""Passwords of tests: as the product stores them, with one round in place of a million."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class QuickHasher(PBKDF2PasswordHasher):
    """What it writes, the product's own hasher reads: the rounds are part of the stored password."""

    iterations = 1
