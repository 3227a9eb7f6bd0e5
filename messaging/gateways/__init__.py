"""Carriers. Adding one is adding a folder: adapter, error table, webhook parser; the contract is `base.Gateway`."""
