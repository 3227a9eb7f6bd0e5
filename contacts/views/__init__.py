"""Pages of contacts: people and their lists, and imports."""
