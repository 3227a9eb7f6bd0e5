"""What every app stands on: tenancy, clock, errors, phone numbers, money. Owns no tables."""
