"""Conversations: what people text back, by number."""
