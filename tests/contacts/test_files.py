from pathlib import Path

import pytest

from contacts.rules.columns import Field, guess_mapping
from contacts.rules.files import UnreadableFile, rows_of, shape_of
from contacts.rules.people import InvalidRow, read_person


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
    assert rows[0].fields == ("José Müller", "+12567346043", "Köln")


def test_a_quoted_newline_and_delimiter_belong_to_the_field(tmp_path: Path) -> None:
    path = write(tmp_path, b'Name,Phone\n"Lovelace, Ada\nCountess",2567346043\n')
    (row,) = rows_of(path, shape_of(path))
    assert row.fields == ("Lovelace, Ada\nCountess", "2567346043")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"  \n \n", "empty"),
        (b"PK\x03\x04" + b"\0" * 500, "Save as"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 90, "not a text file"),
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


MAPPING = {0: Field.NAME, 1: Field.PHONE, 2: Field.TIME_ZONE}


def test_a_row_becomes_a_person() -> None:
    person = read_person(("Ada Lovelace", "256-734-6043", ""), MAPPING, columns=3, country="US")
    assert person.phone == "+12567346043"
    assert (person.values["first_name"], person.values["last_name"]) == ("Ada", "Lovelace")


@pytest.mark.parametrize(
    ("fields", "column", "words"),
    [
        (("Ada", "", ""), 1, "no phone"),
        (("Ada", "12", ""), 1, "number"),
        (("Ada", "2567346043", "Mars/Olympus"), 2, "time zone"),
        (("Ada", "2567346043", "", "extra"), None, "more fields than"),
        (("Ada",), 1, "no phone"),
    ],
)
def test_a_bad_row_says_where_and_why(fields: tuple[str, ...], column: int | None, words: str) -> None:
    with pytest.raises(InvalidRow, match=words) as refused:
        read_person(fields, MAPPING, columns=3, country="US")
    assert refused.value.column == column
