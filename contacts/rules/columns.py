"""Which column of a file holds what, guessed from its heading."""

from collections.abc import Sequence
from enum import StrEnum


class Field(StrEnum):
    """What a column can be. PHONE is the phone that is texted; the two others are kept beside it."""

    PHONE = "phone"
    WORK_PHONE = "work_phone"
    OTHER_PHONE = "other_phone"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    NAME = "name"
    EMAIL = "email"
    COMPANY = "company"
    LANGUAGE = "language"
    CITY = "city"
    REGION = "region"
    POSTCODE = "postcode"
    COUNTRY = "country"
    TIME_ZONE = "time_zone"


LABELS: dict[Field, str] = {
    Field.PHONE: "Phone to text",
    Field.WORK_PHONE: "Work phone",
    Field.OTHER_PHONE: "Other phone",
    Field.FIRST_NAME: "First name",
    Field.LAST_NAME: "Last name",
    Field.NAME: "Whole name",
    Field.EMAIL: "E-mail",
    Field.COMPANY: "Company",
    Field.LANGUAGE: "Language",
    Field.CITY: "City",
    Field.REGION: "State or region",
    Field.POSTCODE: "Postcode",
    Field.COUNTRY: "Country",
    Field.TIME_ZONE: "Time zone",
}
"""What a column is called where a person chooses."""

HEADINGS: dict[str, Field] = {
    heading: field
    for field, headings in {
        Field.PHONE: "phone,phonenumber,mobile,mobilephone,mobilenumber,cell,cellphone,cellular,tel,telephone,sms,"
        "number,msisdn,handy,telefon,movil",
        Field.WORK_PHONE: "workphone,businessphone,officephone,work",
        Field.OTHER_PHONE: "homephone,otherphone,phone2,home",
        Field.FIRST_NAME: "firstname,first,givenname,forename,vorname",
        Field.LAST_NAME: "lastname,last,surname,familyname,nachname",
        Field.NAME: "name,fullname,contact,contactname",
        Field.EMAIL: "email,emailaddress,mail",
        Field.COMPANY: "company,organization,organisation,companyname,account,business,firma",
        Field.LANGUAGE: "language,lang,locale",
        Field.CITY: "city,town,ort",
        Field.REGION: "state,region,province,stateprovince",
        Field.POSTCODE: "zip,zipcode,postcode,postalcode,plz",
        Field.COUNTRY: "country,countrycode",
        Field.TIME_ZONE: "timezone,tz,timezonename",
    }.items()
    for heading in headings.split(",")
}


def guess_mapping(header: Sequence[str]) -> dict[int, Field]:
    """Column number (from 0) to field; each field once, the first fitting column wins.

    Without a column that is plainly the phone, a work or other phone takes its place.
    """
    mapping: dict[int, Field] = {}
    for column, heading in enumerate(header):
        field = HEADINGS.get("".join(filter(str.isalnum, heading.casefold())))
        if field is not None and field not in mapping.values():
            mapping[column] = field
    if Field.PHONE not in mapping.values():
        for column, field in mapping.items():
            if field in (Field.WORK_PHONE, Field.OTHER_PHONE):
                return mapping | {column: Field.PHONE}
    return mapping
