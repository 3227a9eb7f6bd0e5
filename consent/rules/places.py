"""Where a recipient is, as far as the hours need it: IANA zones and state.

Order: the contact's own zone, postcode, area code. What stays unknown fails closed: hours are then the intersection
over every zone and state it could be (docs/decisions/0003).
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import phonenumbers
import phonenumbers.timezone
import zipcodes
from phonenumbers.tzdata import TIMEZONE_DATA

from consent.rules.lawful_hours import ALWAYS, FIFTY_STATES_AND_DC, TERRITORIES, Weekly, rule_for, weekly_words

_STATES = FIFTY_STATES_AND_DC | TERRITORIES
_ZONES = available_timezones()


@dataclass(frozen=True, slots=True)
class Place:
    """The zones and states a recipient may be in; `source` says from where we know (CONTACT, POSTCODE, AREA_CODE)."""

    zones: tuple[str, ...]
    states: tuple[str, ...]
    source: str

    @property
    def key(self) -> str:
        """The name of the bucket of recipients with the same hours."""
        return f"{','.join(self.zones)}|{','.join(self.states)}"


def place_of(*, zone: str, region: str, postcode: str, country: str, phone: str) -> Place:
    """The place of a contact; empty strings are unknown. `phone` is E.164, `country` ISO."""
    zip_zone, zip_state = _of_postcode(postcode[:5].zfill(5)) if postcode and country in ("", "US") else ("", "")
    area_zones, area_states = _of_phone(phone)
    state = _state(region) or zip_state
    states = (state,) if state else area_states
    zones: tuple[str, ...]
    if zone:
        zones, source = (zone,), "CONTACT"
        states = states if state else _states_in(zone, area_states)
    elif zip_zone:
        # A phone from abroad may still be there: then both must be open.
        abroad = () if phone.startswith("+1") else area_zones
        zones, source = tuple(sorted({zip_zone, *abroad})), "POSTCODE"
    elif area_zones:
        # People keep their number when they move: where the address names another state, both must be open.
        moved = () if states == area_states else tuple(zone for one in states for zone in _zones_of_state(one))
        zones, source = tuple(sorted({*area_zones, *moved})), "AREA_CODE"
    elif states:
        zones, source = tuple(sorted({zone for one in states for zone in _zones_of_state(one)})), "STATE"
    else:
        zones, source = (), "UNKNOWN"
    if not zones:
        return _ANYWHERE
    american = country == "US" or (not country and phone.startswith("+1"))
    return Place(zones, states or (tuple(sorted(FIFTY_STATES_AND_DC)) if american else ()), source)


def hours_of(key: str, *, sending: Weekly, promotional: bool, home_zone: str) -> list[tuple[str, Weekly]]:
    """What must be open for the bucket `key` (see Place.key), as pairs of zone and weekly hours.

    `sending` are the campaign's hours; where the place is unknown they are read in `home_zone` (the organization's).
    Lawful hours bind promotional texts alone.
    """
    zone_part, _, state_part = key.partition("|")
    zones = zone_part.split(",") if zone_part else []
    states = state_part.split(",") if state_part else [""]
    hours = [] if sending == ALWAYS else [(zone, sending) for zone in zones or [home_zone]]
    if promotional:
        pairs = [(zone, state) for zone in zones for state in states] if zones else _every_zone_and_state()
        hours += [(zone, rule_for(state).weekly) for zone, state in pairs]
    return list(dict.fromkeys(hours))


def rules_words(key: str) -> str:
    """Which lawful hours bind the bucket `key`, such as `Florida: 8:00–20:00, rule FL-2021-07 (Fla. Stat. ...)`."""
    _, _, state_part = key.partition("|")
    states = [state for state in state_part.split(",") if state]
    if len(states) > _NAMED:
        return f"unknown where in {len(states)} states, so only hours that are lawful in all of them count"
    if not states:
        places = [("", "")]
        if not key.strip("|"):
            return "unknown where, so only hours that are lawful in every state count"
    else:
        places = [(STATE_NAMES.get(state, state), state) for state in states]
    told = []
    for name, state in places:
        rule = rule_for(state)
        hours = weekly_words(rule.weekly)
        told.append(f"{name or 'here'}: {hours}, rule {rule.name_in(state)} ({rule.provenance.source})")
    return "; ".join(told)


def clock_words(key: str, at: datetime) -> str:
    """When `at` is by the clocks of the bucket `key`, such as `8:00 by the clock of New York`."""
    zones = [zone for zone in key.partition("|")[0].split(",") if zone]
    if not zones:
        return "by every clock of the country"
    if len(zones) > _NAMED:
        return f"by the clocks of {len(zones)} zones"
    there = [(at.astimezone(ZoneInfo(zone)), zone.rpartition("/")[2].replace("_", " ")) for zone in zones]
    return " and ".join(f"{local.hour}:{local:%M} by the clock of {name}" for local, name in there)


def source_words(place: Place, *, phone: str) -> str:
    """From where the zone of a place is known, such as `zone from area code 305`."""
    if place.source == "AREA_CODE" and phone.startswith("+1"):
        return f"zone from area code {phone[2:5]}"
    return _SOURCES[place.source]


_NAMED = 3
"""States that an explanation names; of more it says how many."""

_SOURCES = {
    "CONTACT": "zone of the contact",
    "POSTCODE": "zone from the postcode",
    "AREA_CODE": "zone from the phone’s country",
    "STATE": "zones of the state",
    "UNKNOWN": "zone unknown",
}


@lru_cache(maxsize=128)
def area_codes_of_state(state: str) -> frozenset[str]:
    """The area codes of a state by its two letters; empty for what is none."""
    named = (area for area, found in _postal_map().state_of_area.items() if found == state)
    # Beyond a border the list of postcodes names the neighbours' too.
    return frozenset(area for area in named if _is_american(phonenumbers.parse(f"+1{area}2002000")))


@lru_cache(maxsize=4096)
def _states_in(zone: str, area_states: tuple[str, ...]) -> tuple[str, ...]:
    """The states of the area code, or all with this time where it is another: who moved kept the number."""
    if any(_clock(one) == _clock(zone) for state in area_states for one in _zones_of_state(state)):
        return area_states
    states = FIFTY_STATES_AND_DC
    return (
        tuple(sorted(state for state in states if _clock(zone) in map(_clock, _zones_of_state(state)))) or area_states
    )


@lru_cache(maxsize=1024)
def _clock(zone: str) -> tuple[timedelta | None, ...]:
    """What tells zones of one time from others, whatever they are called: their offsets in winter and in summer."""
    try:
        return tuple(datetime(2026, month, 15, tzinfo=ZoneInfo(zone)).utcoffset() for month in (1, 7))
    except (ZoneInfoNotFoundError, ValueError):
        return ()


@lru_cache(maxsize=1)
def area_codes_by_zone() -> dict[str, frozenset[str]]:
    """The area codes of +1 where each zone is kept; one across a border is in both."""
    found: dict[str, set[str]] = {}
    for prefix, zones in TIMEZONE_DATA.items():
        if prefix.startswith("1") and len(prefix) >= len("1305"):
            for zone in _ZONES.intersection(zones):
                found.setdefault(zone, set()).add(prefix[1:4])
    return {zone: frozenset(areas) for zone, areas in sorted(found.items())}


_ANYWHERE = Place((), (), "UNKNOWN")


def _state(region: str) -> str:
    code = region.strip().upper()
    return code if code in _STATES else _CODE_OF_NAME.get(region.strip().casefold(), "")


@lru_cache(maxsize=65_536)
def _of_postcode(postcode: str) -> tuple[str, str]:
    if not postcode.isdigit():
        return "", ""
    found = zipcodes.matching(postcode)
    return (_zone(found[0]["timezone"]), found[0]["state"] or "") if found else ("", "")


def _zone(name: str | None) -> str:
    """The zone of a postcode's row, empty where the data holds something else (a few rows name a town)."""
    return name if name in _ZONES else ""


@lru_cache(maxsize=65_536)
def _of_area(number: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    parsed = phonenumbers.parse(number)
    # Toll-free numbers and the like of +1 are nowhere; elsewhere the metadata knows mobiles by their country.
    if parsed.country_code == 1 and not phonenumbers.is_number_geographical(parsed):
        return (), ()
    zones = tuple(zone for zone in phonenumbers.timezone.time_zones_for_number(parsed) if zone in _ZONES)
    state = _postal_map().state_of_area.get(number[2:5], "") if _is_american(parsed) else ""
    return zones, (state,) if state else ()


def _is_american(number: phonenumbers.PhoneNumber) -> bool:
    return phonenumbers.region_code_for_number(number) in {"US", *TERRITORIES}


def _of_phone(phone: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    # The metadata tells places apart by at most the exchange: what follows is the same for a whole block of numbers.
    return _of_area(phone[:8] + "0000") if phone.startswith("+1") and len(phone) == 12 else _of_area(phone)


@dataclass(frozen=True, slots=True)
class _PostalMap:
    """What the list of postcodes says of states: their zones, and which of them an area code belongs to."""

    zones_of_state: dict[str, tuple[str, ...]]
    state_of_area: dict[str, str]


@lru_cache(maxsize=1)
def _postal_map() -> _PostalMap:
    # Not libphonenumber's geocoder: its descriptions of the whole world cost every process a hundred megabytes.
    zones: dict[str, set[str]] = {}
    areas: dict[str, Counter[str]] = {}
    for row in zipcodes.list_all():
        state = row["state"]
        if state in _STATES:
            if _zone(row["timezone"]):
                zones.setdefault(state, set()).add(row["timezone"])
            for area in row["area_codes"]:
                areas.setdefault(area, Counter())[state] += 1
    return _PostalMap(
        {state: tuple(sorted(found)) for state, found in zones.items()},
        # An area code lies in one state; beyond the border the list names it for a few postcodes all the same.
        {area: found.most_common(1)[0][0] for area, found in areas.items()},
    )


def _zones_of_state(state: str) -> tuple[str, ...]:
    return _postal_map().zones_of_state.get(state, ())


def _every_zone_and_state() -> list[tuple[str, str]]:
    return [(zone, state) for state in sorted(FIFTY_STATES_AND_DC) for zone in _zones_of_state(state)]


_NAMES = (
    "Alabama AL,Alaska AK,Arizona AZ,Arkansas AR,California CA,Colorado CO,Connecticut CT,Delaware DE,"
    "District of Columbia DC,Florida FL,Georgia GA,Hawaii HI,Idaho ID,Illinois IL,Indiana IN,Iowa IA,Kansas KS,"
    "Kentucky KY,Louisiana LA,Maine ME,Maryland MD,Massachusetts MA,Michigan MI,Minnesota MN,Mississippi MS,"
    "Missouri MO,Montana MT,Nebraska NE,Nevada NV,New Hampshire NH,New Jersey NJ,New Mexico NM,New York NY,"
    "North Carolina NC,North Dakota ND,Ohio OH,Oklahoma OK,Oregon OR,Pennsylvania PA,Rhode Island RI,"
    "South Carolina SC,South Dakota SD,Tennessee TN,Texas TX,Utah UT,Vermont VT,Virginia VA,Washington WA,"
    "West Virginia WV,Wisconsin WI,Wyoming WY,Puerto Rico PR,Guam GU,"
    "US Virgin Islands VI,American Samoa AS,Northern Mariana Islands MP"
)
STATE_NAMES = {entry.rpartition(" ")[2]: entry.rpartition(" ")[0] for entry in _NAMES.split(",")}
"""States and territories by their two letters."""

_CODE_OF_NAME = {name.casefold(): code for code, name in STATE_NAMES.items()}
