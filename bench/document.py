"""docs/benchmarks.md: every figure of a whole run, with two plots."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench.report import LINES, PLOTS, revision

DOCS = Path(__file__).resolve().parent.parent / "docs"
TITLES = {
    "throughput": ("Messages a second over HTTP, by dispatchers (two cores)", "dispatchers", "messages a second"),
    "pacing": ("Segments in each second of a minute, as a share of what the number allows", "second", "share"),
}
HEAD = """# Benchmarks

Written by `make bench` at revision {revision}, on two cores of a shared machine that carry everything: servers,
simulator, database. Ratios within one run mean something; absolute figures change with the machine and the hour.
What each bench does stands at the top of its file in `bench/`.
"""


def write() -> None:
    """Write the document and its plots from what this run has measured."""
    parts = [HEAD.format(revision=revision())]
    for plot, (title, _, _) in TITLES.items():
        if plot in PLOTS:
            _draw(plot)
            parts.append(f"![{title}](benchmarks/{plot}.svg)\n")
    for bench in dict.fromkeys(figures["bench"] for figures in LINES):
        parts.append(f"## {bench}\n\n{_table([figures for figures in LINES if figures['bench'] == bench])}\n")
    (DOCS / "benchmarks.md").write_text("\n".join(parts))


def _table(lines: Iterable[dict[str, Any]]) -> str:
    rows = ["| case | figure | of | ratio | more |", "|---|---|---|---|---|"]
    for figures in lines:
        more = {
            name.replace("_", " "): value
            for name, value in figures.items()
            if name not in ("bench", "case", "value", "unit", "reference", "reference_is", "ratio", "revision")
        }
        wanted = f"{figures['reference']:,} {figures['reference_is']}" if "reference" in figures else ""
        words = ", ".join(f"{name} {value}" for name, value in more.items())
        rows.append(
            f"| {figures['case']} | {figures['value']:,} {figures['unit']} | {wanted} | {figures.get('ratio', '')} "
            f"| {words} |"
        )
    return "\n".join(rows)


def _draw(plot: str) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "carillon"  # the same picture of the same figures
    from matplotlib import pyplot
    from matplotlib.ticker import MaxNLocator

    title, across, up = TITLES[plot]
    figure, axes = pyplot.subplots(figsize=(8, 3.6), layout="constrained")
    for curve, points in PLOTS[plot].items():
        axes.plot(
            [x for x, _ in points], [y for _, y in points], marker="." if plot == "throughput" else "", label=curve
        )
    axes.set(title=title, xlabel=across, ylabel=up)
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    (DOCS / "benchmarks").mkdir(exist_ok=True)
    figure.savefig(DOCS / "benchmarks" / f"{plot}.svg", metadata={"Date": None})
    pyplot.close(figure)
