"""Sender numbers and the carrier accounts they belong to (the design's `numbers`; see docs/decisions/0001)."""
