"""No carrier at all: accepts everything at once. For benchmarks of what lies before the wire."""
