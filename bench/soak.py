"""The soak: every fault of tests/faults ten times, each at a random moment, and beside each round the machine that
holds consents, withdrawals and texts in any order against paper; what came of it goes to docs/soak.md.

Where a test breaks a process at each step of a campaign, a round takes one step at random.

A round is one run of the faults with a seed of its own, which is printed: `--seed` gives the same moments again.
"""

import argparse
import hashlib
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from xml.etree.ElementTree import Element, parse

from bench.report import note, revision

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "soak.md"
APART = (
    "test_agreement.py",
    "test_clock.py::test_hour_by_hour_through_the_night",
    "test_processes.py::test_the_figures_of_every_process_come_together",
)
"""Nothing in them falls at a random moment."""

MACHINE, MACHINE_EXAMPLES = "tests/consent/test_machine.py", 20
"""Sequences of 500 steps in each round."""

HEAD = """# Soak

Written by `make soak` at revision {revision}: {rounds} rounds of every fault test in `tests/faults`, each fault at a
random moment within its range, real processes against the simulator, and {examples} sequences of 500 steps of people,
staff, files and carriers in any order (tests/consent/test_machine.py); seed {seed}, {minutes:.0f} minutes, {beside}
rounds at a time on two shared cores. After each fault the simulator's record of what it was handed is compared with
the database: nobody texted twice, nobody lost, the ledger exact, no second above the number's rate.

{passed:,} of {all:,} passed.
"""


@dataclass
class Seen:
    """What a test came to over the rounds."""

    passed: int = 0
    failed: list[str] = field(default_factory=list)
    slowest: float = 0.0
    figures: dict[str, float] = field(default_factory=dict)


def main() -> int:
    options = argparse.ArgumentParser(prog="make soak", description=__doc__)
    options.add_argument("--rounds", type=int, default=10)
    options.add_argument("--beside", type=int, default=2, help="rounds that run at the same time")
    options.add_argument("--seed", default=secrets.token_hex(4))
    options.add_argument("--only", default="", help="tests with this in their name")
    chosen = options.parse_args()
    note(f"seed {chosen.seed}")
    begin = time.monotonic()
    places: SimpleQueue[int] = SimpleQueue()
    for place in range(chosen.beside):
        places.put(place)
    seen: dict[str, Seen] = defaultdict(Seen)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(chosen.beside) as rounds:

        def run(number: int) -> Path:
            place = places.get()
            try:
                return _round(number, place, chosen.seed, chosen.only, Path(folder))
            finally:
                places.put(place)

        for report in rounds.map(run, range(1, chosen.rounds + 1)):
            _read(report, seen)
    minutes = (time.monotonic() - begin) / 60
    whole = sum(one.passed + len(one.failed) for one in seen.values())
    passed = sum(one.passed for one in seen.values())
    if not chosen.only:
        head = HEAD.format(
            revision=revision(),
            rounds=chosen.rounds,
            examples=chosen.rounds * MACHINE_EXAMPLES,
            seed=chosen.seed,
            minutes=minutes,
            beside=chosen.beside,
            passed=passed,
            all=whole,
        )
        DOCUMENT.write_text(f"{head}\n{_table(seen)}\n")
    note(f"{passed} of {whole} passed in {minutes:.0f} minutes, seed {chosen.seed}")
    return 0 if passed == whole > 0 else 1


def _number(seed: str, number: int) -> int:
    """The seed of a round as hypothesis wants it."""
    return int.from_bytes(hashlib.sha256(f"{seed}-{number}".encode()).digest()[:4])


def _round(number: int, place: int, seed: str, only: str, folder: Path) -> Path:
    """Run the faults once, on servers of their own; return the report."""
    report, log = folder / f"{number}.xml", ROOT / ".data" / f"soak-{number}.log"
    environment = os.environ | {
        "CARILLON_SOAK_SEED": f"{seed}-{number}",
        "CARILLON_TEST_DATA_DIR": f".data/soak-{place}",
        "CARILLON_MACHINE_EXAMPLES": str(MACHINE_EXAMPLES),
    }
    without = [part for name in APART for part in ("--deselect", f"tests/faults/{name}")]
    log.parent.mkdir(exist_ok=True)
    with log.open("w") as output:
        subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/faults", MACHINE),
                *("-m", "fault or (machine and not slow)", f"--hypothesis-seed={_number(seed, number)}"),
                *("-k", only or "test", *without, f"--junitxml={report}", "-o", "junit_family=xunit1"),
            ],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    words = log.read_text(errors="replace").splitlines()[-1:]
    note(f"round {number}: {' '.join(words)} (.data/{log.name})")
    return report


def _read(report: Path, seen: dict[str, Seen]) -> None:
    if not report.exists():
        seen["a whole round"].failed.append("it ended without a report")
        return
    for case in parse(report).getroot().iter("testcase"):
        one = seen[f"{case.get('classname', '').rpartition('.')[2]}: {case.get('name', '').removeprefix('test_')}"]
        if case.find("skipped") is not None:
            continue
        bad = case.find("failure")
        bad = bad if bad is not None else case.find("error")
        if bad is None:
            one.passed += 1
        else:
            one.failed.append(next(iter((bad.get("message") or "").splitlines()), "")[:200])
        one.slowest = max(one.slowest, float(case.get("time", 0)))
        for figure in case.iter("property"):
            _keep_worst(one, figure)


def _keep_worst(one: Seen, figure: Element) -> None:
    name, value = figure.get("name", ""), float(figure.get("value", 0))
    one.figures[name] = max(one.figures.get(name, value), value)


def _table(seen: dict[str, Seen]) -> str:
    rows = ["| fault | passed | slowest | worst seen |", "|---|---|---|---|"]
    for name, one in sorted(seen.items()):
        worst = ", ".join(f"{what}: {value:g}" for what, value in one.figures.items())
        failed = "; ".join(dict.fromkeys(one.failed))
        said = f"{worst} {failed}".strip().replace("|", "/")
        words = name.replace("_", " ")
        rows.append(f"| {words} | {one.passed} of {one.passed + len(one.failed)} | {one.slowest:.0f} s | {said} |")
    return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())
