"""One form for every figure."""

import json
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

_ROOT = Path(__file__).resolve().parent.parent


LINES: list[dict[str, Any]] = []
"""The cases of this run, for docs/benchmarks.md."""

PLOTS: dict[str, dict[str, list[tuple[float, float]]]] = {}
"""By plot and curve: its points."""


def point(plot: str, curve: str, x: float, y: float) -> None:
    PLOTS.setdefault(plot, {}).setdefault(curve, []).append((x, y))


def line(bench: str, case: str, value: float, unit: str, **more: Any) -> None:
    """Print a case: `more` has reference, reference_is, ratio, n, processes, peak_mib where they apply."""
    figures = {"bench": bench, "case": case, "value": round(value, 1), "unit": unit, **more, "revision": revision()}
    LINES.append(figures)
    print(json.dumps(figures), flush=True)


def note(words: str) -> None:
    """For whoever watches; never on stdout."""
    print(words, file=sys.stderr, flush=True)


def middle(values: list[float]) -> float:
    return median(values)


def revision() -> str:
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=_ROOT, capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or "unknown"


def peak_mib(pid: int) -> int:
    """The largest resident set that a process or one of its children has had."""
    peaks = [_high_water(pid)]
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[1] == str(pid):
            peaks.append(_high_water(int(status.parent.name)))
    return max(peaks) // 1024


def _high_water(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(row.split()[1]) for row in text.splitlines() if row.startswith("VmHWM")), 0)
