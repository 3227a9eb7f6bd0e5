"""People, organizations (the tenants), departments, roles and the audit log."""
