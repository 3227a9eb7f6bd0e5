"""Twilio: its REST API for hand-over and reconciliation, its signed callbacks, its error codes."""
