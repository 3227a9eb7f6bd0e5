"""Plain characters: the table, all or nothing, and never dearer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.rules.plain import PLAIN, changes, costly_characters, plainly, without_costly
from content.rules.segments import measure
from tests.content.test_segments import ANY_TEXT
from tests.servers import ROOT

ANY = ANY_TEXT | st.text(st.sampled_from("".join(map(chr, PLAIN)) + "ab 中é"), max_size=300) | st.text(max_size=200)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("It’s “here” – now…", 'It\'s "here" - now...'),
        ("a\u00a0b\u200bc\ufeff", "a bc"),
        ("½ of ¾", "1/2 of 3/4"),
        ("Ｓａｌｅ！", "Ｓａｌｅ！"),  # small full-width letters have no plain form: nothing is changed
        ("ＳＡＬＥ！", "SALE!"),
        ("It’s 🎉", "It’s 🎉"),  # Unicode anyway: the quote keeps its look
        ("Łódź’s", "Łódź’s"),
        ("plain", "plain"),
        ("…" * 60, "…" * 60),  # 180 dots would be dearer than 60 ellipses
        ("\u200b", "\u200b"),  # nothing would be left
    ],
)
def test_all_or_nothing(text: str, written: str) -> None:
    assert plainly(text).text == written


def test_no_longer_than_allowed() -> None:
    text = "Wait…"
    assert plainly(text, at_most=7).text == "Wait..."
    assert plainly(text, at_most=6).text == text


@given(ANY)
def test_plain_characters_never_raise_the_cost(text: str) -> None:
    plain = plainly(text)
    assert plain.measured == measure(plain.text)
    assert plain.measured.segments == measure(text).segments - plain.saved_segments
    assert plain.saved_segments >= 0
    assert plainly(plain.text).text == plain.text, "twice is once"


@given(ANY)
def test_the_difference_shown_is_the_difference_made(text: str) -> None:
    pieces = changes(text)
    assert "".join(piece.written for piece in pieces) == plainly(text).text
    assert "".join(piece.was or piece.written for piece in pieces) == text


@given(ANY)
def test_every_character_that_costs_is_named_with_its_places(text: str) -> None:
    found = costly_characters(text)
    assert sorted(at for one in found for at in one.places) == [
        at for at, character in enumerate(text) if measure(character).encoding == "UCS-2"
    ]
    assert all(text[at] == one.character for one in found for at in one.places)
    assert all(one.plain is None or measure(one.plain).encoding == "GSM-7" for one in found)
    assert without_costly(text).segments <= measure(text).segments


def test_the_table_names_its_source_and_replaces_only_what_costs() -> None:
    head = (ROOT / "content" / "rules" / "plain_characters.tsv").read_text(encoding="utf-8").splitlines()[:3]
    assert any("source:" in line and "2026" in line for line in head)
    assert all(measure(chr(code)).encoding == "UCS-2" for code in PLAIN)
    assert all(measure(written).encoding == "GSM-7" for written in PLAIN.values())
    # Of each family of the source at least these; the whole table is compared by its size.
    assert {chr(c): w for c, w in PLAIN.items()}.items() >= {"“": '"', "’": "'", "—": "-", "…": "...", "•": "-"}.items()
    assert len(PLAIN) == 271
