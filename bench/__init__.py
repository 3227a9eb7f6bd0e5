"""Benchmarks: JSON lines on stdout, one a case, nothing else there. `make bench BENCH=name`.

Figures are ratios within one run: the machine is shared, and absolute times mean little.
"""
