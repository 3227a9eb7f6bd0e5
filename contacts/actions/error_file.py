"""The rows that an import left out, as a file for whoever mends them."""

import csv
import re
from pathlib import Path

from contacts.rules.files import Row
from contacts.rules.people import InvalidRow


class ErrorFile:
    """The original columns plus row, column, value and reason, in the order of the rows."""

    def __init__(self, path: Path, header: tuple[str, ...]) -> None:
        self.path, self.header, self.count = path, header, 0

    def __enter__(self) -> "ErrorFile":
        self._file = self.path.open("w", newline="", encoding="utf-8-sig")
        self._writer = csv.writer(self._file)
        self._writer.writerow([*map(harmless, self.header), "Row", "Column", "Value", "Reason"])
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, row: Row, error: InvalidRow) -> None:
        padded = [*row.fields, *[""] * (len(self.header) - len(row.fields))][: len(self.header)]
        column = "" if error.column is None or error.column < 0 else harmless(self.header[error.column])
        self._writer.writerow([*map(harmless, padded), row.number, column, harmless(error.value), error.reason])
        self.count += 1


_FIGURES = re.compile(r"[+-]?[\d ().]+(?:-[\d ().]+)*")


def harmless(text: str) -> str:
    """A spreadsheet would run a cell that begins like a formula (OWASP: CSV injection); phone numbers stay."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not _FIGURES.fullmatch(text) else text
