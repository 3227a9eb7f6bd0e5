import json
import random
import subprocess

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from carriersim.segments import count_segments
from content.rules.segments import GSM_BASIC, GSM_EXTENSION, costly, measure, split
from tests.servers import ROOT

VECTORS = [
    # text, encoding, segments; the live-verified ones of the calculator's issue 66 and the traps beside them
    ("", "GSM-7", 1),
    ("a" * 160, "GSM-7", 1),
    ("a" * 161, "GSM-7", 2),
    ("a" * 306, "GSM-7", 2),
    ("a" * 307, "GSM-7", 3),
    ("a" * 80 + "\r\n" + "a" * 79, "GSM-7", 2),
    ("a" * 80 + "\n" + "a" * 79, "GSM-7", 1),
    ("a" * 200 + "\r\n" + "a" * 105, "GSM-7", 3),
    ("é" * 70, "GSM-7", 1),
    ("e\u0301" * 70, "UCS-2", 3),
    ("中" * 70, "UCS-2", 1),
    ("中" * 71, "UCS-2", 2),
    ("中" * 134, "UCS-2", 2),
    ("|", "GSM-7", 1),
    ("{" + "1" * 158, "GSM-7", 1),
    ("{" + "1" * 159, "GSM-7", 2),
    ("😜" + "a" * 68, "UCS-2", 1),
    ("😜" + "a" * 69, "UCS-2", 2),
    ("this is a " + "]" * 75 + "😘", "UCS-2", 2),
    ("a" * 152 + "{" + "a" * 152, "GSM-7", 3),  # 306 septets, but the pair does not fit into the first part
    ("中" * 66 + "😜" + "中" * 66, "UCS-2", 3),  # 134 units, likewise
    ("中" * 66 + "\r\n" + "中" * 66, "UCS-2", 2),  # CRLF is one cluster, yet the carrier cuts it
    ("`", "UCS-2", 1),  # the backtick is not in the alphabet
    ("ç", "UCS-2", 1),  # nor the small c with cedilla
    ("Ç", "GSM-7", 1),
    ("👨‍👩‍👧‍👦" * 30, "UCS-2", 5),
]
# Beside the alphabets: pairs, flags, families, marks, conjoining letters, a sign that joins with what follows it.
ANY_TEXT = st.text(
    st.sampled_from(GSM_BASIC + GSM_EXTENSION + "中😜e\u0301\u200d👩👧`\r🇫🇷\u1100\u1161\u11a8\u0600क्\u200bक\ufe0f’"),
    max_size=400,
)


@pytest.mark.parametrize(("text", "encoding", "segments"), VECTORS)
def test_vectors(text: str, encoding: str, segments: int) -> None:
    measured = measure(text)
    assert (measured.encoding, measured.segments) == (encoding, segments)


@given(ANY_TEXT)
def test_the_parts_joined_are_the_text_and_as_many_as_measured(text: str) -> None:
    parts = split(text)
    assert "".join(parts) == text
    assert len(parts) == measure(text).segments


@given(ANY_TEXT, ANY_TEXT)
def test_segments_never_shrink_when_text_is_appended(text: str, more: str) -> None:
    assert measure(text + more).segments >= measure(text).segments


@given(ANY_TEXT)
def test_a_part_holds_no_more_than_the_carrier_takes(text: str) -> None:
    whole = measure(text)
    for part in split(text) if whole.segments > 1 else []:
        clusters = regex.findall(r"\r|\X", part)
        if whole.encoding == "GSM-7":
            assert sum(2 if letter in GSM_EXTENSION else 1 for letter in part) <= 153
        else:
            assert len(part.encode("utf-16-le", "surrogatepass")) // 2 <= 67 or len(clusters) == 1


@given(ANY_TEXT)
def test_costly_characters_are_those_without_which_the_text_is_gsm(text: str) -> None:
    places = costly(text)
    assert (measure(text).encoding == "UCS-2") == bool(places)
    assert measure("".join(c for at, c in enumerate(text) if at not in places)).encoding == "GSM-7"


@given(ANY_TEXT)
def test_the_carrier_counts_the_same(text: str) -> None:
    assert count_segments(text) == measure(text).segments


def test_the_published_calculator_counts_the_same() -> None:
    """npm's sms-segments-calculator is what the carrier bills by."""
    dice = random.Random(3)
    pieces = [
        *(GSM_BASIC + GSM_EXTENSION),
        "中",
        "é",
        "😜",
        "e\u0301",
        "\r\n",
        "’",
        "“",
        "👍🏽",
        "日本",
        "🇫🇷",
        "👩‍👧",
        "ক্ষ",
        "각",
    ]
    texts = [
        "".join(dice.choices(pieces[: dice.choice((138, 138, len(pieces)))], k=dice.randint(0, 330)))
        for _ in range(400)
    ]
    texts += [text for text, _, _ in VECTORS]
    script = (
        "const {SegmentedMessage} = require('sms-segments-calculator');"
        "const texts = JSON.parse(require('fs').readFileSync(0));"
        "console.log(JSON.stringify(texts.map(t => {const m = new SegmentedMessage(t);"
        " return [m.encodingName, m.segmentsCount]})))"
    )
    answer = subprocess.run(
        ["node", "-e", script], input=json.dumps(texts), capture_output=True, text=True, check=True, cwd=ROOT
    )
    for text, (encoding, segments) in zip(texts, json.loads(answer.stdout), strict=True):
        measured = measure(text)
        assert (measured.encoding, measured.segments) == (encoding, segments), repr(text)
