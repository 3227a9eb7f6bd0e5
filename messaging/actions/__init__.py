"""Writes of messages and streams: queueing, claiming, settling, receiving, sweeping."""
