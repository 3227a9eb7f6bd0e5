from pathlib import Path

import pytest

from contacts.rules.columns import Field, guess_mapping
from contacts.rules.fields import FieldKind, UnreadableValue, read_value
from contacts.rules.files import UnreadableFile, rows_of, shape_of
from contacts.rules.people import InvalidRow, PersonReader


def write(folder: Path, content: bytes) -> Path:
    path = folder / "contacts.csv"
    path.write_bytes(content)
    return path


PEOPLE = "Name;Téléphone;Ort\r\nJosé Müller;+12567346043;Köln\r\nЯна;2567346044;Zürich\r\n"


@pytest.mark.parametrize(
    ("content", "delimiter"),
    [
        (PEOPLE.encode(), ";"),
        (PEOPLE.encode("utf-8-sig"), ";"),
        (PEOPLE.encode("utf-16"), ";"),
        (PEOPLE.replace(";", ",").encode(), ","),
        (PEOPLE.replace(";", "\t").encode(), "\t"),
        (PEOPLE.replace(";", "|").encode(), "|"),
        (PEOPLE.replace("Яна", "Jana").encode("cp1252"), ";"),
    ],
)
def test_encodings_and_delimiters_are_found(tmp_path: Path, content: bytes, delimiter: str) -> None:
    path = write(tmp_path, content)
    shape = shape_of(path)
    assert shape.delimiter == delimiter
    assert shape.header == ("Name", "Téléphone", "Ort")
    rows = list(rows_of(path, shape))
    assert [row.number for row in rows] == [1, 2]
    assert rows[0].fields == ["José Müller", "+12567346043", "Köln"]


def test_a_quoted_newline_and_delimiter_belong_to_the_field(tmp_path: Path) -> None:
    path = write(tmp_path, b'Name,Phone\n"Lovelace, Ada\nCountess",2567346043\n')
    (row,) = rows_of(path, shape_of(path))
    assert row.fields == ["Lovelace, Ada\nCountess", "2567346043"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"  \n \n", "empty"),
        (b"PK\x03\x04" + b"\0" * 500, "not a list of contacts"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 90, "not a list of contacts"),
        (b"name,phone\n\x00\x01\x02", "not a text file"),
        (b"a" * 300_000, "endless line"),
        (",".join(["x"] * 600).encode() + b"\n", "600 columns"),
    ],
)
def test_a_bad_file_says_what_to_do(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(UnreadableFile, match=words):
        shape_of(write(tmp_path, content))


def test_a_line_without_end_further_down_is_found_while_reading(tmp_path: Path) -> None:
    path = write(tmp_path, b"Name,Phone\nAda,2567346043\n" + b"x" * 3_000_000)
    with pytest.raises(UnreadableFile):
        list(rows_of(path, shape_of(path)))


@pytest.mark.parametrize(
    ("header", "mapping"),
    [
        (
            ["First Name", "Last Name", "Mobile Phone", "Zip"],
            {0: Field.FIRST_NAME, 1: Field.LAST_NAME, 2: Field.PHONE, 3: Field.POSTCODE},
        ),
        (["phone_number", "e-mail"], {0: Field.PHONE, 1: Field.EMAIL}),
        (["Work Phone"], {0: Field.PHONE}),  # the only phone there is
        (["Work phone", "Cell"], {0: Field.WORK_PHONE, 1: Field.PHONE}),
        (["Foo", "Bar"], {}),
    ],
)
def test_headings_are_guessed(header: list[str], mapping: dict[int, Field]) -> None:
    assert guess_mapping(header) == mapping


@pytest.mark.parametrize(
    ("rows", "mapping"),
    [
        (
            [("ada@example.org", "256-734-6043", "America/Chicago", "35055")] * 2,
            [Field.EMAIL, Field.PHONE, Field.TIME_ZONE, Field.POSTCODE],
        ),
        ([("ada", "256-734-6043", "x", "1")] * 2, [None, Field.PHONE, None, None]),
        ([("", "+49 30 901820", "", ""), ("", "12", "", "")], [None, None, None, None]),  # one of them is no phone
    ],
)
def test_headings_that_say_nothing_leave_it_to_the_values(
    rows: list[tuple[str, ...]], mapping: list[Field | None]
) -> None:
    found = guess_mapping(["a", "b", "c", "d"], rows)
    assert [found.get(column) for column in range(4)] == mapping


def test_what_was_chosen_before_goes_first() -> None:
    remembered = {"Tel.": "other_phone", "Nr": "phone", "Note": ""}
    assert guess_mapping(
        ["tel", "NR", "note"], [("256-734-6043", "256-734-6044", "a@b.org")], remembered=remembered
    ) == {
        0: "other_phone",
        1: "phone",
    }


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("NUMBER", "1,250.50", 1250.5),
        ("NUMBER", "$ 12", 12),
        ("NUMBER", "-3", -3),
        ("NUMBER", "1.2.3", None),
        ("NUMBER", "nan", None),
        ("DATE", "2026-05-04", "2026-05-04"),
        ("DATE", "2026-05-04 00:00:00", "2026-05-04"),
        ("DATE", "5/4/2026", "2026-05-04"),
        ("DATE", "4.5.2026", "2026-05-04"),
        ("DATE", "13/13/2026", None),
        ("DATE", "2026-05-04 or later", None),
        ("YES_NO", "Yes", "yes"),
        ("YES_NO", "0", "no"),
        ("YES_NO", "maybe", None),
        ("CHOICE", "GOLD", "Gold"),
        ("CHOICE", "tin", None),
        ("TEXT", "x" * 500, "x" * 500),
        ("TEXT", "x" * 501, None),
    ],
)
def test_values_of_own_fields(kind: str, text: str, value: object) -> None:
    if value is None:
        with pytest.raises(UnreadableValue):
            read_value(FieldKind(kind), text, choices=("Gold", "Silver"))
    else:
        assert read_value(FieldKind(kind), text, choices=("Gold", "Silver")) == value


@pytest.mark.parametrize(
    "content", [b"+12567346043;Ada\n+12567346044;Bo\n", b"\n\n(256) 734-6043,Ada\n(256) 734-6044,Bo\n"]
)
def test_a_file_without_a_heading_loses_nobody(tmp_path: Path, content: bytes) -> None:
    shape = shape_of(write(tmp_path, content))
    assert (shape.headed, shape.header) == (False, ("Column 1", "Column 2"))
    rows = list(rows_of(tmp_path / "contacts.csv", shape))
    assert [row.fields[1] for row in rows] == ["Ada", "Bo"]
    assert guess_mapping(shape.header, [row.fields for row in rows]) == {0: Field.PHONE}


def test_a_separator_of_lines_within_a_heading_cuts_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, "First\u2028Name,Phone\nAda,2567346043\n".encode())
    shape = shape_of(path)
    assert len(shape.header) == 2
    assert [list(row.fields) for row in rows_of(path, shape)] == [["Ada", "2567346043"]]


MAPPING = {0: Field.NAME, 1: Field.PHONE, 2: Field.TIME_ZONE}


def test_a_row_becomes_a_person() -> None:
    person = PersonReader(MAPPING, columns=3, country="US").read(("Ada Lovelace", "256-734-6043", ""))
    assert person.phone == "+12567346043"
    assert person.values[:2] == ("Ada", "Lovelace")


@pytest.mark.parametrize(
    ("fields", "column", "words"),
    [
        (("Ada", "", ""), 1, "no phone"),
        (("Ada", "12", ""), 1, "number"),
        (("Ada", "2567346043", "Mars/Olympus"), 2, "time zone"),
        (("Ada", "2567346043", "", "extra"), None, "more fields than"),
        (("Ada",), 1, "no phone"),
        (("Ada", "1.25673E+10", ""), 1, "shortened"),
    ],
)
def test_a_bad_row_says_where_and_why(fields: tuple[str, ...], column: int | None, words: str) -> None:
    with pytest.raises(InvalidRow, match=words) as refused:
        PersonReader(MAPPING, columns=3, country="US").read(fields)
    assert refused.value.column == column
