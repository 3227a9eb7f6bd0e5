import random
from pathlib import Path

import phonenumbers
import pytest

from common import clock
from common.money import format_micros
from common.phones import InvalidPhone, to_e164


@pytest.mark.parametrize(
    ("text", "country", "e164"),
    [
        ("256-734-6043", "US", "+12567346043"),
        ("(256) 734.6043", "US", "+12567346043"),
        ("1 256 734 6043", "US", "+12567346043"),
        ("+1\u00a0256\u2011734\u20116043", "US", "+12567346043"),
        ("670-323-2647", "US", "+16703232647"),  # Saipan is +1 too
        ("030 901820", "DE", "+4930901820"),
        ("+49 30 901820", "US", "+4930901820"),
    ],
)
def test_numbers_become_e164(text: str, country: str, e164: str) -> None:
    assert to_e164(text, country=country) == e164


@pytest.mark.parametrize("text", ["", "abc", "12", "555-0100", "256-134-6043", "256-734-6043 ext. 5", "999-734-6043"])
def test_what_is_no_number_says_why(text: str) -> None:
    with pytest.raises(InvalidPhone, match=r"\w+"):
        to_e164(text, country="US")


@pytest.mark.parametrize("of_each", [5, pytest.param(100, marks=pytest.mark.slow)])
def test_the_fast_path_is_libphonenumbers_verdict(of_each: int) -> None:
    """Of every area code, assigned or not."""
    dice = random.Random(7)
    for area in range(1_000):
        for _ in range(of_each):
            digits = f"{area:03}{dice.randrange(10_000_000):07}"
            try:
                assert to_e164(digits, country="US") == f"+1{digits}"
                valid = True
            except InvalidPhone:
                valid = False
            assert valid == _is_valid(digits), digits


def _is_valid(digits: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(digits, "US"))
    except phonenumbers.NumberParseException:
        return False


@pytest.mark.parametrize(
    ("micros", "text"), [(40_000, "$0.04"), (52_400_000, "$52.40"), (5_000, "$0.01"), (-1_000_000, "-$1.00")]
)
def test_money(micros: int, text: str) -> None:
    assert format_micros(micros) == text


def test_the_clocks_offset_follows_its_file(tmp_path: Path, settings: object) -> None:
    file = tmp_path / "offset"
    file.write_text("3600")
    settings.CLOCK_OFFSET = f"@{file}"  # type: ignore[attr-defined]
    shifted = clock.now()
    settings.CLOCK_OFFSET = "0"  # type: ignore[attr-defined]
    assert 3590 < (shifted - clock.now()).total_seconds() < 3601
