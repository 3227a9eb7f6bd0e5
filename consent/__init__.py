"""Programs, the append-only record of consent, opt-outs, keywords and lawful hours.

Keyed by organization and E.164, never by contact: it outlives the contact. It never sends: an action returns the
replies that are due, and messaging turns them into messages.
"""
