"""Rows of a former provider's files (F10): who said stop, and who agreed to what, when and how."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from consent.rules.media import MEDIA, Level, Medium
from contacts.rules.columns import guess_among, plain_heading
from contacts.rules.fields import FieldKind, UnreadableValue, read_value
from contacts.rules.people import Fault, InvalidRow, e164_in


class Column(StrEnum):
    """What a column of such a file can be."""

    PHONE = "phone"
    STOPPED_ON = "stopped_on"
    SOURCE = "source"
    AGREED_ON = "agreed_on"
    MEDIUM = "medium"


COLUMN_LABELS: dict[Column, str] = {
    Column.PHONE: "Phone",
    Column.STOPPED_ON: "Day on which they said stop",
    Column.SOURCE: "Where they said it",
    Column.AGREED_ON: "Day on which they agreed",
    Column.MEDIUM: "How they agreed",
}

OPT_OUT_COLUMNS = (Column.PHONE, Column.STOPPED_ON, Column.SOURCE)
CONSENT_COLUMNS = (Column.PHONE, Column.AGREED_ON, Column.MEDIUM)

_HEADINGS: dict[Column, str] = {
    Column.PHONE: "phone,phonenumber,mobile,mobilephone,cell,cellphone,number,msisdn,to,recipient,contact",
    Column.STOPPED_ON: "date,day,time,timestamp,optoutdate,optedoutat,optedouton,optouttime,stoppedon,stopdate,"
    "unsubscribedat,unsubscribedate,unsubscribedon,createdat,updatedat,datecreated",
    Column.SOURCE: "source,reason,how,method,medium,channel,keyword",
    Column.AGREED_ON: "date,day,time,timestamp,optindate,optedinat,optedinon,optintime,agreedon,consentdate,"
    "consentedat,subscribedat,subscribedate,createdat,datecreated",
    Column.MEDIUM: "medium,source,how,method,channel,optinmethod,optinsource,optintype,consentmethod,consentsource",
}


def guess_columns(header: Sequence[str], wanted: Sequence[Column]) -> dict[int, str]:
    """Column number to what it seems to hold; each once, the first fitting one."""
    return guess_among(header, {column: _HEADINGS[column].split(",") for column in wanted})


class Stopped(NamedTuple):
    """A phone that wants no texts; `on` is None where the row does not say since when."""

    phone: str
    on: date | None
    source: str


class Agreed(NamedTuple):
    """A phone whose owner agreed on a day, in a way."""

    phone: str
    on: date
    medium: Medium


def opt_out_reader(mapping: Mapping[int, str], *, columns: int, country: str) -> Callable[[Sequence[str]], Stopped]:
    """Reads rows of an opt-out file; what it gives raises InvalidRow."""
    at = {name: column for column, name in mapping.items()}

    def read(fields: Sequence[str]) -> Stopped:
        cells = _padded(fields, columns)
        said = _cell(cells, at, Column.STOPPED_ON)
        day = _day(said, at.get(Column.STOPPED_ON)) if said else None
        return Stopped(_phone(cells, at, country), day, _cell(cells, at, Column.SOURCE)[:120])

    return read


def consent_reader(
    mapping: Mapping[int, str], *, columns: int, country: str, level: Level, until: date
) -> Callable[[Sequence[str]], Agreed]:
    """Reads rows of a consent file for a program of a level; what it gives raises InvalidRow.

    Nobody has agreed after `until`: a day in the future would outweigh whatever the person says in between.
    """
    at = {name: column for column, name in mapping.items()}

    def read(fields: Sequence[str]) -> Agreed:
        cells = _padded(fields, columns)
        phone = _phone(cells, at, country)
        said, how = _cell(cells, at, Column.AGREED_ON), _cell(cells, at, Column.MEDIUM)
        if not said:
            raise InvalidRow(Fault.BAD_VALUE, at.get(Column.AGREED_ON), "", "The row does not say when they agreed.")
        day, medium = _day(said, at.get(Column.AGREED_ON)), medium_named(how)
        if day > until:
            raise InvalidRow(Fault.BAD_VALUE, at.get(Column.AGREED_ON), said[:40], "This day lies in the future.")
        if medium is None or level not in MEDIA[medium].grants:
            ways = ", ".join(rule.label for rule in MEDIA.values() if level in rule.grants)
            what = "This way of agreeing is not known"
            if medium is not None:
                what = f"This is not enough for {level.lower()} texts"
            raise InvalidRow(Fault.BAD_VALUE, at.get(Column.MEDIUM), how[:40], f"{what}. Write one of: {ways}.")
        return Agreed(phone, day, medium)

    return read


_WAYS: dict[Medium, str] = {
    Medium.WEB_FORM: "webform,web,website,onlineform,online,form,landingpage,checkout,webpage,widget,popup,app",
    Medium.KEYWORD: "keyword,text,sms,texttojoin,texttosubscribe,viatext,mobileoriginated,mo",
    Medium.QR_CODE: "qrcode,qr,mobileqrcode",
    Medium.PAPER_FORM: "paperform,paper,written,signed,instore,pos,pointofsale,card",
    Medium.DOUBLE_OPT_IN: "doubleoptin,doi,confirmed,doubleconfirmed",
    Medium.VERBAL: "spoken,verbal,phone,call,voice,inperson,oral",
    Medium.IVR: "phonemenu,ivr",
}
_MEDIA = {word: medium for medium, words in _WAYS.items() for word in words.split(",")}


def medium_named(text: str) -> Medium | None:
    """The way of agreeing that a word of a file means; None: none that is known."""
    return _MEDIA.get(plain_heading(text))


def _padded(fields: Sequence[str], columns: int) -> list[str]:
    if len(fields) > columns:
        reason = f"The row has more fields than the heading, which has {columns}."
        raise InvalidRow(Fault.EXTRA_FIELDS, None, "", reason)
    return [*(field.strip() for field in fields), *[""] * (columns - len(fields))]


def _cell(cells: Sequence[str], at: Mapping[str, int], column: Column) -> str:
    return cells[at[column]] if column in at else ""


def _phone(cells: Sequence[str], at: Mapping[str, int], country: str) -> str:
    phone = _cell(cells, at, Column.PHONE)
    if not phone:
        raise InvalidRow(Fault.NO_PHONE, at.get(Column.PHONE), "", "The row has no phone number.")
    return e164_in(at[Column.PHONE], phone, country)


_TIME = re.compile(r"^(\S+?)[T ]\d{1,2}:\d\d.*$")


def _day(text: str, column: int | None) -> date:
    """The day of a date, or of a time stamp in whatever form."""
    try:
        return date.fromisoformat(str(read_value(FieldKind.DATE, _TIME.sub(r"\1", text))))
    except UnreadableValue as error:
        raise InvalidRow(Fault.BAD_VALUE, column, text[:40], str(error)) from error
