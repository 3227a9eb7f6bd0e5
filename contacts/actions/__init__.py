"""Writes of contacts."""

from contacts.actions.imports import ImportRefused, fail_import, request_import, revive_imports, run_import

__all__ = ["ImportRefused", "fail_import", "request_import", "revive_imports", "run_import"]
