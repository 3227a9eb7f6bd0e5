"""Files as people really have them, and as nobody should: each with what must come of it."""

import contextlib
import csv
import io
import zipfile
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO, StringIO
from pathlib import Path

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import given, settings
from hypothesis import strategies as st

from common.actor import SYSTEM
from consent.rules.media import Medium
from contacts.actions import ImportRefused, ImportWish, keep_upload, request_import, run_import
from contacts.models import Contact, ContactPhone, Import
from contacts.rules.columns import guess_mapping
from contacts.rules.files import UnreadableFile, rows_of, shape_of
from contacts.rules.people import InvalidRow, PersonReader
from contacts.rules.workbooks import UnreadableWorkbook, to_csv
from content.models import Job
from content.queries import path_of
from tests.world import ACTOR, World

ADA, BO = "+12567346043", "+17756865760"


@dataclass(frozen=True)
class Outcome:
    """Who is a contact afterwards, and the reasons in the error file, each by a word of it."""

    phones: tuple[str, ...] = (ADA, BO)
    reasons: tuple[str, ...] = ()
    state: str = Job.State.DONE


def sheet(rows: list[list[object]], *, hidden: bool = False) -> bytes:
    buffer = BytesIO()
    book = xlsxwriter.Workbook(buffer)
    if hidden:
        page = book.add_worksheet("Prices")
        page.write_row(0, 0, ["Phone", "nobody"])
        page.hide()
    page = book.add_worksheet("People")
    if hidden:
        page.activate()
        page.set_first_sheet()
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            if isinstance(value, datetime):
                page.write_datetime(number, column, value, book.add_format({"num_format": "yyyy-mm-dd"}))
            else:
                page.write(number, column, value)
    book.close()
    return buffer.getvalue()


def ods(rows: list[list[str]]) -> bytes:
    cells = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>' for cell in row
        )
        + "</table:table-row>"
        for row in rows
    )
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    content = (
        f'<?xml version="1.0"?><office:document-content {spaces} office:version="1.2"><office:body>'
        f'<office:spreadsheet><table:table table:name="People">{cells}</table:table></office:spreadsheet>'
        "</office:body></office:document-content>"
    )
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        kind = "application/vnd.oasis.opendocument.spreadsheet"
        archive.writestr("mimetype", kind)
        archive.writestr("content.xml", content)
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/></manifest:manifest>',
        )
    return buffer.getvalue()


GOOD = "Name,Phone\nAda,256-734-6043\nBo,775-686-5760\n"
WIDE = ",".join(["Phone", *(f"c{number}" for number in range(299))])

FILES: dict[str, tuple[bytes, Outcome]] = {
    "plain": (GOOD.encode(), Outcome()),
    "byte order mark": (GOOD.encode("utf-8-sig"), Outcome()),
    "utf-16": (GOOD.encode("utf-16"), Outcome()),
    "utf-16 big": (b"\xfe\xff" + GOOD.encode("utf-16-be"), Outcome()),
    "windows-1252": (GOOD.replace("Ada", "Zoë").encode("cp1252"), Outcome()),
    "old Mac line ends": (GOOD.replace("\n", "\r").encode(), Outcome()),
    "Windows line ends": (GOOD.replace("\n", "\r\n").encode(), Outcome()),
    "no last line end": (GOOD.strip().encode(), Outcome()),
    "empty lines": (GOOD.replace("\n", "\n\n,\n \n").encode(), Outcome(reasons=("no phone",) * 3)),
    "tabs": (GOOD.replace(",", "\t").encode(), Outcome()),
    "semicolons and a comma in a name": (b"Name;Phone\nByron, Ada;256-734-6043\nBo;775-686-5760\n", Outcome()),
    "quoted line end": (b'Name,Phone\n"Ada\nByron",256-734-6043\n"Bo ""B"" X",775-686-5760\n', Outcome()),
    "300 columns": (f"{WIDE}\n256-734-6043{',x' * 299}\n775-686-5760\n".encode(), Outcome()),
    "no heading": (b"Ada,256-734-6043\nBo,775-686-5760\n", Outcome()),
    "unicode dashes and spaces": ("Phone\n256\u2011734\u20116043\n\u00a0775 686 5760\n".encode(), Outcome()),
    "+1 and 1 before": (b"Phone\n+1 (256) 734-6043\n17756865760\n", Outcome()),
    "an unassigned area code": (b"Phone\n2567346043\n7756865760\n2112345678\n", Outcome(reasons=("area code",))),
    "an extension": (b"Phone\n2567346043\n7756865760\n256-734-6043 ext. 12\n", Outcome(reasons=("extension",))),
    "shortened by a spreadsheet": (b"Phone\n2567346043\n7756865760\n1.25673E+10\n", Outcome(reasons=("shortened",))),
    "too many fields": (GOOD.encode() + b"Cy,205-221-2310,oops\n", Outcome(reasons=("more fields",))),
    "too few fields": (b"Phone,Name,City\n2567346043\n7756865760,Bo\n", Outcome()),
    "a wrong time zone": (
        b"Phone,Timezone\n2567346043,america/chicago\n7756865760,\n2052212310,Mars/Olympus\n",
        Outcome(reasons=("time zone",)),
    ),
    "a formula": (GOOD.encode() + b'"=HYPERLINK(""x"")",12\n', Outcome(reasons=("No such number",))),
    "the same phone five times": (b"Name,Phone\n" + b"Ada,2567346043\n" * 5 + b"Bo,7756865760\n", Outcome()),
    "a town that is too long": (
        b"Phone,City\n2567346043,Rome\n7756865760,\n2052212310," + b"x" * 121 + b"\n",
        Outcome(reasons=("120 characters",)),
    ),
    "an umlaut at the very end": ("Name,Phone,City\nAda,256-734-6043,\nBo,775-686-5760,Köln".encode(), Outcome()),
    "a heading that is a day": (b"Phone,2026-05-04\n2567346043,x\n7756865760,y\n", Outcome()),
    "an open quotation mark": (
        GOOD.encode() + b'"Cy,2052212310\n' + b"Dee,2052212311\n" * 4000,
        Outcome(state=Job.State.FAILED),
    ),
    "spreadsheet": (
        sheet([["Name", "Phone", "Since"], ["Ada", 2567346043, datetime(2026, 5, 4)], ["Bo", "775-686-5760", ""]]),
        Outcome(),
    ),
    "spreadsheet with a hidden sheet before": (
        sheet([["Name", "Phone"], ["Ada", 12567346043], ["Bo", 17756865760]], hidden=True),
        Outcome(),
    ),
    "open document": (ods([["Name", "Phone"], ["Ada", "256-734-6043"], ["Bo", "7756865760"]]), Outcome()),
}


@pytest.mark.parametrize("name", FILES)
def test_every_good_row_is_a_contact_and_every_bad_one_is_told(world: World, now: datetime, name: str) -> None:
    content, expected = FILES[name]
    with world.scope():
        stored = keep_upload(SimpleUploadedFile(f"{name}.csv", content), actor=ACTOR, now=now)
        wish = ImportWish(program=world.program, medium=Medium.WEB_FORM, agreed_at=now, how="our form")
        wanted = request_import(stored, wish, actor=ACTOR, now=now)
    run_import(organization_id=world.id, import_id=wanted.id, actor=SYSTEM)
    with world.scope():
        done = Import.objects.select_related("job", "error_file").get(id=wanted.id)
        assert sorted(ContactPhone.objects.values_list("phone", flat=True)) == sorted(expected.phones)
        assert Contact.objects.count() == len(expected.phones)
        assert done.job.state == expected.state, done.job.message
        assert done.rows == done.created + done.updated + done.unchanged + done.duplicates + done.invalid
        reasons = []
        if done.error_file is not None:
            text = path_of(done.error_file).read_text(encoding="utf-8-sig")
            reasons = [row[-1] for row in list(csv.reader(StringIO(text, newline="")))[1:]]
    assert len(reasons) == len(expected.reasons) == done.invalid
    for reason, word in zip(reasons, expected.reasons, strict=True):
        assert word in reason


def _bomb() -> bytes:
    """A sheet of a few kilobytes with one cell in the far corner: read as a table it is seventeen billion cells."""
    page = io.BytesIO(sheet([["Phone"], ["256-734-6043"]]))
    buffer = BytesIO()
    with zipfile.ZipFile(page) as source, zipfile.ZipFile(buffer, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name.endswith("sheet1.xml"):
                corner = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
                content = content.replace(b"</sheetData>", corner)
            target.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (_bomb(), "too large"),
        (b"PK\x03\x04 no archive at all", "cannot be opened"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2000, "cannot be opened"),
        (sheet([]), "no rows"),
        (b"%PDF-1.7 a catalogue", "not a list of contacts"),
        (b"", "empty"),
    ],
)
def test_a_file_that_is_none_is_refused_with_what_to_do(
    world: World, now: datetime, content: bytes, words: str
) -> None:
    with world.scope(), pytest.raises(ImportRefused, match=words):
        keep_upload(SimpleUploadedFile("people.xlsx", content), actor=ACTOR, now=now)


def test_a_spreadsheet_that_is_too_large_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "large.xlsx"
    with path.open("wb") as file:
        file.truncate(26 * 1024 * 1024)
    with pytest.raises(UnreadableWorkbook, match="25 MB"):
        to_csv(path, tmp_path / "out.csv")


PIECES = st.lists(
    st.sampled_from(
        (
            *(b",", b";", b"\t", b'"', b"\n", b"\r", b"\r\n", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xe4", b"Phone"),
            *(b"256-734-6043", b"+1", b" ", "ż".encode(), "\u2028".encode(), b"=1", b"\x1a", b"PK\x03\x04"),
        )
    )
    | st.binary(max_size=6),
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(pieces=PIECES)
def test_no_bytes_at_all_break_the_reader(tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes]) -> None:
    """Any file is read to its end or refused with words, each row a person or told why not."""
    path = tmp_path_factory.mktemp("fuzz") / "file.csv"
    path.write_bytes(b"".join(pieces))
    try:
        shape = shape_of(path)
        rows = list(rows_of(path, shape))
    except UnreadableFile:
        return
    reader = PersonReader(
        guess_mapping(shape.header, [row.fields for row in rows]), columns=len(shape.header), country="US"
    )
    for row in rows:
        with contextlib.suppress(InvalidRow):
            assert reader.read(row.fields).phone.startswith("+")
