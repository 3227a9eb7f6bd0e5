import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from consent.rules.keywords import Keyword, keyword_of, normalise
from consent.rules.law import DATA, Unsourced, read
from consent.rules.lawful_hours import ALWAYS, FIFTY_STATES_AND_DC, RULES, Weekly, daily, rule_for
from consent.rules.media import MEDIA, Level, Medium, may_grant
from consent.rules.near_stop import wants_to_stop
from consent.rules.places import hours_of, place_of, rules_words, source_words
from consent.rules.seals import EMPTY, chain_hash, merkle_root
from consent.rules.windows import next_window
from tests.servers import ROOT


@pytest.mark.parametrize(
    ("text", "keyword"),
    [
        *[
            (word, Keyword.STOP)
            for word in ("STOP", "stop", " Stop. ", "Opt Out", "opt-out", "OPTOUT", "stop all", "STOPALL")
        ],
        *[
            (word, Keyword.STOP)
            for word in ("unsubscribe", "cancel", "END", "quit", "revoke", "STOP! 🙏", "“stop”", "ＳＴＯＰ")
        ],
        *[(word, Keyword.START) for word in ("start", "UNSTOP")],
        ("Yes", Keyword.YES),
        ("help?", Keyword.HELP),
        ("INFO", Keyword.HELP),
        ("please stop", None),  # a wish, for a person to read: only the whole message is a keyword
        ("stoppp", None),
        ("Arrêt", Keyword.STOP),
        ("STOPP", Keyword.STOP),
        ("aide", Keyword.HELP),
        ("", None),
        ("🙂", None),
    ],
)
def test_keywords(text: str, keyword: Keyword | None) -> None:
    assert keyword_of(text) == keyword


def test_a_campaigns_own_word_stops() -> None:
    assert keyword_of("no more!", stop_words=frozenset({normalise("NO MORE")})) is Keyword.STOP


@pytest.mark.parametrize("medium", list(Medium))
def test_only_written_media_grant_promotional_and_only_a_text_conversation(medium: Medium) -> None:
    written = {Medium.WEB_FORM, Medium.KEYWORD, Medium.QR_CODE, Medium.PAPER_FORM, Medium.DOUBLE_OPT_IN}
    assert may_grant(medium, Level.PROMOTIONAL) == (medium in written)
    assert may_grant(medium, Level.CONVERSATIONAL) == (medium is Medium.INBOUND_TEXT)
    assert MEDIA[medium].evidence


NY, CHICAGO = "America/New_York", "America/Chicago"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "hours", "opens", "closes", "why"),
    [
        ("2026-11-20T03:00", [(NY, daily(8, 21))], "2026-11-20T13:00", "2026-11-21T02:00", "22:00 at home: tomorrow"),
        ("2026-11-20T15:00", [(NY, daily(8, 21))], "2026-11-20T13:00", "2026-11-21T02:00", "open now"),
        ("2026-11-21T02:00", [(NY, daily(8, 21))], "2026-11-21T13:00", "2026-11-22T02:00", "the last instant is shut"),
        (
            "2026-11-20T03:00",
            [(NY, daily(8, 20)), (CHICAGO, daily(8, 21))],
            "2026-11-20T14:00",
            "2026-11-21T01:00",
            "both",
        ),
        (
            "2026-11-22T15:00",
            [(CHICAGO, rule_for("TX").weekly)],
            "2026-11-22T18:00",
            "2026-11-23T03:00",
            "Texas, Sunday",
        ),
        (
            "2026-03-08T05:00",
            [(NY, daily(2, 9))],
            "2026-03-08T07:00",
            "2026-03-08T13:00",
            "2:00 does not come that night",
        ),
        ("2026-11-01T04:00", [(NY, ((90, 540),) * 7)], "2026-11-01T06:30", "2026-11-01T14:00", "1:30 comes twice"),
        (
            "2026-11-20T03:00",
            [(NY, ((0, 1440),) * 7)],
            "2026-11-18T05:00",
            "2026-11-28T05:00",
            "days without a gap join",
        ),
    ],
)
def test_windows(now: str, hours: list[tuple[str, Weekly]], opens: str, closes: str, why: str) -> None:
    assert next_window(at(now), hours) == (at(opens), at(closes)), why


def test_no_common_hour_is_no_window() -> None:
    assert next_window(at("2026-11-20T03:00"), [(NY, daily(8, 9)), (NY, daily(20, 21))]) is None


def test_a_closed_week_and_a_blackout_have_no_window() -> None:
    closed: Weekly = (None,) * 7
    assert next_window(at("2026-11-20T03:00"), [(NY, closed)]) is None
    window = next_window(at("2026-11-20T15:00"), [(NY, daily(8, 21))], blackout=frozenset({"2026-11-20"}))
    assert window == (at("2026-11-21T13:00"), at("2026-11-22T02:00"))
    month = frozenset(f"2026-12-{day:02}" for day in range(1, 32))
    window = next_window(at("2026-12-01T15:00"), [(NY, daily(8, 21))], blackout=month)
    assert window == (at("2027-01-01T13:00"), at("2027-01-02T02:00")), "however many days are closed"
    thursdays: Weekly = (None, None, None, (8 * 60, 21 * 60), None, None, None)
    window = next_window(at("2026-11-23T15:00"), [(NY, thursdays)], blackout=frozenset({"2026-11-26", "2026-12-03"}))
    assert window == (at("2026-12-10T13:00"), at("2026-12-11T02:00")), "a day that comes once a week"


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(lambda moment: moment.replace(tzinfo=UTC)),
    st.sampled_from([NY, CHICAGO, "America/Phoenix", "Pacific/Honolulu", "Pacific/Guam"]),
    st.sampled_from([rule.weekly for rule in RULES]),
)
def test_inside_a_window_the_local_clock_is_within_the_hours(now: datetime, zone: str, weekly: Weekly) -> None:
    from zoneinfo import ZoneInfo

    window = next_window(now, [(zone, weekly)])
    assert window is not None
    opens, closes = window
    assert closes > now
    for moment in (opens, closes - timedelta(minutes=1)):
        local = moment.astimezone(ZoneInfo(zone))
        row = weekly[local.weekday()]
        assert row is not None
        assert row[0] <= local.hour * 60 + local.minute < row[1]


@pytest.mark.parametrize(
    ("fields", "key", "source"),
    [
        ({"region": "AL", "postcode": "35055"}, "America/Chicago|AL", "POSTCODE"),
        ({"zone": "America/Denver", "region": "AL", "postcode": "35055"}, "America/Denver|AL", "CONTACT"),
        ({"postcode": "802"}, "America/St_Thomas|VI", "POSTCODE"),  # a spreadsheet ate the zeros of 00802
        ({"region": "florida", "phone": "+13052345678"}, "America/New_York|FL", "AREA_CODE"),
        ({"phone": "+12125551234"}, "America/New_York|NY", "AREA_CODE"),
        ({"phone": "+18885551234"}, "|", "UNKNOWN"),  # toll-free is nowhere
        ({"phone": "+4915112345678", "country": "DE"}, "Europe/Berlin|", "AREA_CODE"),  # a mobile knows its country
        # A zone that is not the area code's: whichever state with this time it is, whatever the zone is called.
        ({"zone": "America/Phoenix", "phone": "+12125551234"}, "America/Phoenix|AZ", "CONTACT"),
        ({"zone": "Pacific/Honolulu", "phone": "+12125551234"}, "Pacific/Honolulu|HI", "CONTACT"),
        ({"zone": "US/Eastern", "phone": "+13055551234"}, "US/Eastern|FL", "CONTACT"),
        ({"zone": "Europe/Paris", "phone": "+12125551234"}, "Europe/Paris|NY", "CONTACT"),
        ({"postcode": "10115", "phone": "+493012345678"}, "America/New_York,Europe/Berlin|NY", "POSTCODE"),
        # Kept the number when moving: the hours of both places must be open.
        ({"region": "HI", "phone": "+12125551234"}, "America/New_York,Pacific/Honolulu|HI", "AREA_CODE"),
    ],
)
def test_places(fields: dict[str, str], key: str, source: str) -> None:
    given_fields = {"zone": "", "region": "", "postcode": "", "country": "US", "phone": "+18885551234"} | fields
    place = place_of(**given_fields)
    assert (place.key, place.source) == (key, source)


def test_who_moved_and_kept_the_number_has_the_hours_of_every_state_with_their_time() -> None:
    place = place_of(zone="America/New_York", region="", postcode="", country="US", phone="+14155551234")
    assert {"NJ", "FL", "CT", "RI"} < set(place.states)
    assert "CA" not in place.states
    window = next_window(at("2026-11-20T03:00"), hours_of(place.key, sending=ALWAYS, promotional=True, home_zone=NY))
    # Kentucky opens at 10:00 (15:00 UTC), Rhode Island closes at 18:00 (23:00 UTC).
    assert window == (at("2026-11-20T15:00"), at("2026-11-20T23:00"))


def test_where_the_place_is_unknown_only_hours_lawful_everywhere_are_open() -> None:
    hours = hours_of("|", sending=ALWAYS, promotional=True, home_zone=NY)
    window = next_window(at("2026-11-20T03:00"), hours)
    # Hawaii opens at 8:00 (18:00 UTC), Rhode Island closes at 18:00 (23:00 UTC).
    assert window == (at("2026-11-20T18:00"), at("2026-11-20T23:00"))
    for state in FIFTY_STATES_AND_DC:
        assert any(weekly == rule_for(state).weekly for _, weekly in hours), state


def test_informational_texts_know_sending_hours_alone() -> None:
    assert hours_of("America/Chicago|TX", sending=ALWAYS, promotional=False, home_zone=NY) == []
    assert hours_of("America/Chicago|TX", sending=daily(9, 17), promotional=False, home_zone=NY) == [
        ("America/Chicago", daily(9, 17))
    ]
    assert hours_of("|", sending=daily(9, 17), promotional=False, home_zone=NY) == [(NY, daily(9, 17))]


def test_no_state_is_laxer_than_the_federal_rule() -> None:
    for rule in RULES:
        for row in rule.weekly:
            assert row is not None
            assert row[0] >= 8 * 60
            assert row[1] <= 21 * 60


def test_a_changed_leaf_changes_the_root_and_the_chain() -> None:
    leaves = [f"{number:064x}" for number in range(5)]
    changed = [*leaves[:2], f"{99:064x}", *leaves[3:]]
    assert merkle_root(leaves) != merkle_root(changed)
    assert merkle_root([]) == EMPTY
    assert chain_hash(EMPTY, 1, leaves[0]) != chain_hash(EMPTY, 2, leaves[0])


# Law as data ----------------------------------------------------------------------------------------------------

LAW_FILES = sorted(path.name for path in DATA.glob("*.toml"))


def test_every_value_of_law_has_its_source_and_its_day() -> None:
    assert LAW_FILES == [
        "disclosure.toml",
        "hours.toml",
        "keywords.toml",
        "media.toml",
        "near_stop.toml",
        "periods.toml",
    ]
    for name in LAW_FILES:
        assert read(name)


@pytest.mark.parametrize("name", LAW_FILES)
@pytest.mark.parametrize("lost", ["source", "effective_on"])
def test_a_value_that_lacks_one_of_them_is_refused(
    name: str, lost: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each row in turn: whichever loses its provenance, the file is not read."""
    lines = (DATA / name).read_text().splitlines()
    places = [at for at, line in enumerate(lines) if line.startswith(f"{lost} =")]
    assert places
    monkeypatch.setattr("consent.rules.law.DATA", tmp_path)
    for at in places:
        (tmp_path / name).write_text("\n".join(lines[:at] + lines[at + 1 :]))
        with pytest.raises(Unsourced):
            read(name)


def test_every_value_of_law_is_what_the_product_goes_by() -> None:
    """A value that nobody reads is a second opinion: every period is asked for by its name somewhere."""
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for path in ROOT.glob("*/**/*.py")
        if path.relative_to(ROOT).parts[0] not in ("tests", "bench", ".venv", "node_modules")
    )
    for name in read("periods.toml"):
        assert re.search(rf"""(?:period|day)\(['"]{name}['"]\)""", code), name


def test_no_value_of_law_stands_in_the_code() -> None:
    """Where a value of the data files is a literal of the rules as well, one of the two will be forgotten."""
    rules = {path.name: path.read_text(encoding="utf-8") for path in (DATA.parent).glob("*.py")}
    assert not re.search(r"\b(?:8-21|daily\(8, 2[01]\)|unsubscribe|ayuda|website form)\b", "\n".join(rules.values()))
    for name, text in rules.items():
        assert not re.search(r"timedelta\((?:days|minutes|years)=(?!365\b)\d+\)", text), name


@pytest.mark.parametrize(
    ("state", "day", "opens", "closes", "name"),
    [
        ("FL", 0, 8, 20, "FL-2021-07"),
        ("CT", 6, 9, 20, "CT as reviewed in 2026-04"),
        ("RI", 4, 9, 18, "RI as reviewed in 2026-04"),
        ("RI", 5, 10, 17, "RI as reviewed in 2026-04"),
        ("TX", 5, 9, 21, "TX-2025-09"),
        ("TX", 6, 12, 21, "TX-2025-09"),
        ("KY", 2, 10, 21, "KY as reviewed in 2026-04"),
        ("CA", 2, 9, 21, "CA as reviewed in 2026-04"),
        ("NY", 2, 8, 21, "US-1992-12"),
    ],
)
def test_lawful_hours(state: str, day: int, opens: int, closes: int, name: str) -> None:
    rule = rule_for(state)
    assert rule.weekly[day] == (opens * 60, closes * 60)
    assert rule.name_in(state) == name


# Near-stops ----------------------------------------------------------------------------------------------------------

PHRASES = [
    line.split("\t")
    for line in (Path(__file__).parent / "phrases.tsv").read_text(encoding="utf-8").splitlines()
    if line
]


def test_wishes_to_stop_in_any_words() -> None:
    """No wish is missed; of everything else below two in a hundred raise the alarm."""
    stops = [phrase for label, _, phrase in PHRASES if label == "stop"]
    others = [phrase for label, _, phrase in PHRASES if label == "other"]
    assert len(stops) + len(others) == len(PHRASES) >= 300
    assert [phrase for phrase in stops if not wants_to_stop(phrase) and keyword_of(phrase) is not Keyword.STOP] == []
    alarms = [phrase for phrase in others if wants_to_stop(phrase) or keyword_of(phrase) is Keyword.STOP]
    assert len(alarms) / len(others) < 0.02, alarms


VOCABULARY = sorted(set(re.findall(r"[a-z]{1,12}", (DATA / "near_stop.toml").read_text(encoding="utf-8"))))


@given(
    st.text(max_size=400)
    | st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=4).map(lambda words: " ".join(words * 80))
)
@example("Dont " + "want you " * 38)
@example("stopp " * 60 + "x")
@settings(max_examples=300)
def test_any_text_is_looked_at_in_no_time(text: str) -> None:
    """What can be read in two ways again and again must not be tried in all: everybody's STOPs wait behind it."""
    wants_to_stop(text)


# Explanations ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("home", "words", "source"),
    [
        ({"phone": "+13055550100"}, "Florida: 8:00–20:00, rule FL-2021-07 (Fla. Stat.", "zone from area code 305"),
        (
            {"phone": "+12125550100"},
            "New York: 8:00–21:00, rule US-1992-12 (47 CFR 64.1200(c)(1))",
            "zone from area code 212",
        ),
        (
            {"phone": "+13055550100", "region": "TX"},
            "Texas: 9:00–21:00, Sunday 12:00–21:00, rule TX-2025-09 (Texas SB 140",
            "zone from area code 305",
        ),
        (
            {"phone": "+13055550100", "postcode": "75201"},
            "Texas: 9:00–21:00, Sunday 12:00–21:00, rule TX-2025-09",
            "zone from the postcode",
        ),
        ({"phone": "+18005550100"}, "unknown where", "zone unknown"),
        ({"phone": "+18005550100", "zone": "America/Chicago"}, "unknown where in 20 states", "zone of the contact"),
    ],
)
def test_every_decision_on_hours_can_be_explained(home: dict[str, str], words: str, source: str) -> None:
    empty = {"zone": "", "region": "", "postcode": "", "country": "US"}
    place = place_of(**(empty | home))
    assert words in rules_words(place.key)
    assert source_words(place, phone=home["phone"]) == source
