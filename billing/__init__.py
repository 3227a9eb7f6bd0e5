"""Credits: plans, lots, an append-only ledger, and reservations that hold what something under way may cost."""
