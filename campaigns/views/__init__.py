"""Pages of campaigns: composing and confirming one, and what runs."""
