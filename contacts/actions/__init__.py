"""Writes of contacts."""

from contacts.actions.imports import ImportRefused, request_import, run_import

__all__ = ["ImportRefused", "request_import", "run_import"]
