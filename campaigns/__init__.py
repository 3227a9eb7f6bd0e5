"""Campaigns and their outreaches: quote, launch, pause, resume, cancel, complete."""
