"""People known to an organization, their phones, lists, and imports."""
