"""Phone numbers: only as E.164 inside.

`to_e164` is libphonenumber's verdict. Numbers of +1, the bulk of what is imported, take a path of their own that
gives the same answers some thirty times faster; a test compares the two, unassigned area codes included.
"""

import re

import phonenumbers

_SEPARATORS = str.maketrans("", "", " -.()\t\u00a0\u2010\u2011\u2012\u2013")
_NANP = re.compile(r"(?:\+?1)?([2-9]\d{9})")
_NANP_COUNTRIES = frozenset(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[1])


def for_people(phone: str) -> str:
    """`(888) 555-0142` for +1, the international form for others; short codes and names as they are."""
    if not phone.startswith("+"):
        return phone
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return phone
    form = phonenumbers.PhoneNumberFormat
    return phonenumbers.format_number(number, form.NATIONAL if number.country_code == 1 else form.INTERNATIONAL)


class InvalidPhone(ValueError):
    """Not a phone number; the text says what is wrong with it."""


def to_e164(text: str, *, country: str) -> str:
    """The number as E.164 (`+12567346043`).

    `country` is the ISO code that completes national numbers. Raises InvalidPhone.
    """
    if country in _NANP_COUNTRIES:
        match = _NANP.fullmatch(text.translate(_SEPARATORS))
        if match and _NANP_ASSIGNED.fullmatch(match[1]):
            return f"+1{match[1]}"
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException as error:
        raise InvalidPhone("This is not a phone number.") from error
    if number.extension:
        raise InvalidPhone("A number with an extension cannot receive texts.")
    if not phonenumbers.is_valid_number(number):
        raise InvalidPhone("No such number: check the area code and the count of digits.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def national(e164: str) -> str:
    """The number as people write it at home: `(256) 734-6043`."""
    return phonenumbers.format_number(phonenumbers.parse(e164), phonenumbers.PhoneNumberFormat.NATIONAL)


def _nanp_pattern() -> re.Pattern[str]:
    """One pattern for every assigned number of +1: the union of the patterns in libphonenumber's metadata."""
    patterns = []
    for region in sorted(_NANP_COUNTRIES):
        metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
        for kind in _NUMBER_KINDS:
            description = getattr(metadata, kind)
            if description is not None and description.national_number_pattern:
                patterns.append(description.national_number_pattern)
    return re.compile("|".join(f"(?:{pattern})" for pattern in dict.fromkeys(patterns)))


_NUMBER_KINDS = (
    *("fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost"),
    *("personal_number", "voip", "pager", "uan", "voicemail"),
)
_NANP_ASSIGNED = _nanp_pattern()


def may_sign_up(e164: str, *, country: str) -> bool:
    """Whether strangers may sign this phone up: a mobile of the country (for +1 of the United States and Canada).

    What costs whoever texts it, or lies abroad, is what robots are paid to have texted.
    """
    number = phonenumbers.parse(e164)
    at_home = {*_AMERICAN, country} if country in _AMERICAN else {country}
    if phonenumbers.region_code_for_number(number) not in at_home:
        return False
    mobile = phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE
    return phonenumbers.number_type(number) in mobile


_AMERICAN = frozenset({"US", "CA", "PR", "VI", "GU", "AS", "MP"})
