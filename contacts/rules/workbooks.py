"""Spreadsheets (XLSX, XLS, ODS) read as the CSV that they would be saved as.

Runs in a process of its own, `python -m contacts.rules.workbooks FROM TO`: a workbook of a few kilobytes can unfold
into any amount of memory, and what goes over the bounds below ends that process alone.
"""

import csv
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

LARGEST_BYTES = 25 * 1024 * 1024
"""Of the file as it is uploaded. As CSV there is no such bound."""

MOST_MEMORY = 1024**3
MOST_BYTES = 512 * 1024**2
MOST_SECONDS = 60
_TOO_LARGE, _UNREADABLE, _LOCKED, _EMPTY = 3, 4, 5, 6

_BROKEN = "The spreadsheet cannot be opened. Open it yourself, save it again, or save it as CSV."
_WORDS = {
    _LOCKED: "The spreadsheet has a password. Save a copy without one and upload that.",
    _EMPTY: "The spreadsheet has no rows. Put your contacts on its first sheet, below a heading line.",
}


class UnreadableWorkbook(ValueError):
    """The spreadsheet cannot be read; the text says why and what to do."""


def to_csv(source: Path, target: Path) -> None:
    """Write the first sheet that holds anything. Raises UnreadableWorkbook."""
    if source.stat().st_size > LARGEST_BYTES:
        raise UnreadableWorkbook(_too_large())
    command = [sys.executable, "-m", "contacts.rules.workbooks", str(source), str(target)]
    root = Path(__file__).resolve().parent.parent.parent
    try:
        code = subprocess.run(  # noqa: S603 - our own module, and two paths that we made
            command, cwd=root, timeout=MOST_SECONDS, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ).returncode
    except subprocess.TimeoutExpired as error:
        raise UnreadableWorkbook(_too_large()) from error
    if code:
        # Killed by a signal: the memory, the time or the file ran over. What else ends it is a fault in the file.
        raise UnreadableWorkbook(_too_large() if code < 0 or code == _TOO_LARGE else _WORDS.get(code, _BROKEN))


def _too_large() -> str:
    most = LARGEST_BYTES // 1024 // 1024
    return f"The spreadsheet is too large: {most} MB is the most. Save it as CSV, which may be any size."


def _main(source: str, target: str) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_BYTES, MOST_BYTES))
    try:
        workbook = CalamineWorkbook.from_path(source)
        for sheet in workbook.sheets_metadata:
            if sheet.typ is not SheetTypeEnum.WorkSheet or sheet.visible is not SheetVisibleEnum.Visible:
                continue
            if _write(workbook, sheet.name, target):
                return 0
    except PasswordError:
        return _LOCKED
    except CalamineError:
        return _UNREADABLE
    except MemoryError:
        return _TOO_LARGE
    return _EMPTY


def _write(workbook: CalamineWorkbook, name: str, target: str) -> bool:
    """Whether the sheet held anything. Lines without any content are left out."""
    written = False
    with open(target, "w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        for row in _rows(workbook, name):
            if any(row):
                writer.writerow(row)
                written = True
    return written


def _rows(workbook: CalamineWorkbook, name: str) -> Iterator[list[str]]:
    for row in workbook.get_sheet_by_name(name).iter_rows():
        yield [_text(value) for value in row]


def _text(value: object) -> str:
    """A cell as a person reads it: a phone typed as a number keeps its digits, a day is no moment."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e18 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return str(value)


if __name__ == "__main__":
    # Not through the interpreter's end: freeing a few million cells takes longer than reading them.
    code = _main(*sys.argv[1:])
    os._exit(code)
