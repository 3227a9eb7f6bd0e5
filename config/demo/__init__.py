"""The demo: a tenant of its own, the main job on a contacts file, and the report that proves it."""
