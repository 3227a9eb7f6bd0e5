"""Reading a file of contacts: encoding, delimiter, header. Nothing here trusts the file.

A spreadsheet becomes CSV when it is uploaded (`workbooks`), so that everything after it reads one kind of file.
"""

import csv
import re
from codecs import getincrementaldecoder
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TextIO

from charset_normalizer import from_bytes

SNIFF_BYTES = 256 * 1024
LONGEST_FIELD = 32 * 1024
csv.field_size_limit(LONGEST_FIELD)  # of the process: set and reset around each file, two threads would disagree
LONGEST_LINE = 64 * 1024
MOST_COLUMNS = 500
_DELIMITERS = (",", ";", "\t", "|")
_BINARY = (b"PK\x03\x04", b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\xd0\xcf\x11\xe0", b"\x1f\x8b")
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


_PHONE = re.compile(r"(?!\d{4}-\d\d-\d\d)[\s+(]*\d[\d\s().+-]{6,24}")
"""What is a phone and neither a heading nor a day."""


class UnreadableFile(ValueError):
    """The file cannot be read as contacts; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class FileShape:
    """How a file is to be read. A file that begins with a person at once is not `headed`: its columns are numbered."""

    encoding: str
    delimiter: str
    header: tuple[str, ...]
    headed: bool = True


class Row(NamedTuple):
    """One record of the file: `number` counts from 1 for the first below the header; `fields` as they stand there."""

    number: int
    fields: Sequence[str]


def is_workbook(path: Path) -> bool:
    """Whether it may be a spreadsheet: ZIP files and the older containers of Microsoft are opened to see."""
    with path.open("rb") as file:
        return file.read(8).startswith(_WORKBOOKS)


def shape_of(path: Path) -> FileShape:
    """Look at the beginning of a file. Raises UnreadableFile."""
    with path.open("rb") as file:
        head = file.read(SNIFF_BYTES)
    if not head.strip():
        raise UnreadableFile("The file is empty. Export your contacts as CSV with a heading line and try again.")
    if head.startswith(_BINARY):
        raise UnreadableFile(
            "This is not a list of contacts. Upload a spreadsheet (XLSX, ODS) or a text file (CSV, TSV)."
        )
    encoding = _encoding_of(head)
    try:
        text = head.decode(encoding, errors="ignore" if len(head) == SNIFF_BYTES else "strict")
    except UnicodeDecodeError as error:
        raise UnreadableFile("The file's letters cannot be read. Save it as “CSV UTF-8” and try again.") from error
    if "\x00" in text:
        raise UnreadableFile("This is not a text file. Export your contacts as CSV and upload that file.")
    if len(head) == SNIFF_BYTES and "\n" not in text and "\r" not in text:
        raise UnreadableFile("The file is one endless line. Export your contacts as CSV, one person on each line.")
    delimiter = _delimiter_of(text)
    try:
        # As the file is read later: str.splitlines would also cut at separators that stand within a field.
        header = next(fields for fields in csv.reader(StringIO(text, newline=""), delimiter=delimiter) if any(fields))
    except (csv.Error, StopIteration) as error:
        raise UnreadableFile("The heading line cannot be read. Export your contacts as CSV and try again.") from error
    if len(header) > MOST_COLUMNS:
        raise UnreadableFile(f"The file has {len(header)} columns; {MOST_COLUMNS} are the most. Remove some.")
    if any(map(_PHONE.fullmatch, header)):
        return FileShape(encoding, delimiter, tuple(f"Column {number + 1}" for number in range(len(header))), False)
    return FileShape(encoding, delimiter, tuple(field.strip() for field in header))


def rows_of(path: Path, shape: FileShape) -> Iterator[Row]:
    """The records below the header, one at a time; lines without any content are passed over.

    Raises UnreadableFile in the middle where a line or a field is longer than any contact's.
    """
    number = 0
    try:
        with path.open(encoding=shape.encoding, newline="", errors="replace") as file:
            reader = csv.reader(_bounded_lines(file), delimiter=shape.delimiter)
            most = len(shape.header) + 1  # one more than the heading has tells that there are too many
            filled = (fields for fields in reader if any(fields))
            for fields in islice(filled, 1 if shape.headed else 0, None):
                number += 1
                yield Row(number, fields if len(fields) < most else fields[:most])
    except csv.Error as error:
        raise UnreadableFile(
            f"The file cannot be read after row {number}: a field is too long or a quotation mark is not closed."
        ) from error


def _bounded_lines(file: TextIO) -> Iterator[str]:
    while line := file.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise UnreadableFile("The file has a line of over 65,000 characters. Export your contacts as CSV again.")
        if "\x00" in line:
            raise UnreadableFile("The file turns into something else than text. Export your contacts as CSV again.")
        yield line


def _encoding_of(head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if head.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    try:
        # The last letter may be cut where the file is longer than what was read.
        getincrementaldecoder("utf-8")().decode(head, final=len(head) < SNIFF_BYTES)
    except UnicodeDecodeError:
        best = from_bytes(head, cp_isolation=["cp1252", "utf_16", "utf_16_le", "utf_16_be", "cp1250"]).best()
        return best.encoding if best is not None else "cp1252"
    return "utf-8"


def _delimiter_of(text: str) -> str:
    """The delimiter that cuts the first lines into the same number of columns, the most of them."""
    lines = list(islice(StringIO(text, newline=""), 20))
    if len(lines) > 1 and len(text) >= SNIFF_BYTES // 2:
        lines = lines[:-1]  # may be cut

    def score(delimiter: str) -> tuple[int, int]:
        try:
            counts = [len(fields) for fields in csv.reader(lines, delimiter=delimiter) if fields]
        except csv.Error:
            return (0, 0)
        return (
            sum(count == counts[0] for count in counts) if counts and counts[0] > 1 else 0,
            counts[0] if counts else 0,
        )

    return max(_DELIMITERS, key=score)
