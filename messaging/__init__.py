"""Texts: messages, streams, carriers' gateways, the dispatcher, receipts and inbound (docs/architecture.md)."""
