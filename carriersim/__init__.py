"""The carrier simulator: a small HTTP server that speaks the carrier's REST API, and a handset page.

It is the carrier's opinion: own segment count, own clock, own record of what it was handed. It imports nothing of the
product, and nothing of the product imports it.
"""
