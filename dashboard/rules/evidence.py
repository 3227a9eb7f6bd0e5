"""An evidence pack as files: JSON for machines, PDF for people, and a program that checks the seals."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import typst

from messaging.rules.states import WORDS

_HERE = Path(__file__).parent
VERIFIER = _HERE / "verify_pack.py"


def as_json(facts: Mapping[str, Any]) -> bytes:
    """The pack for machines (docs/evidence-pack.schema.json); instants are ISO 8601."""
    return json.dumps(facts, ensure_ascii=False, indent=2, default=_iso).encode()


def as_pdf(facts: Mapping[str, Any], *, zone: str, phone_words: str) -> bytes:
    """The pack for people, times in an IANA zone, which is named."""
    pack = json.dumps(for_people(facts, ZoneInfo(zone), phone_words), ensure_ascii=False, default=_iso)
    return typst.compile(_HERE / "evidence.typ", sys_inputs={"pack": pack})


def _iso(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a pack.")


def for_people(facts: Mapping[str, Any], zone: ZoneInfo, phone_words: str) -> dict[str, Any]:
    """What the PDF prints, in words."""
    when = partial(_when, zone=zone)
    bodies = {text["sid"]: text["body"] for text in facts["texts"]}
    programs = {program["id"]: program for program in facts["programs"]}
    proven = (one["evidence"] for one in [*facts["records"], *facts["requests"]])
    files = {file["file"]: file["name"] for file in proven if file and not file["lost"]}
    return {
        "organization": facts["organization"],
        "phone_words": phone_words,
        "made_by": facts["made_by"],
        "made_at_words": when(facts["made_at"]),
        "state_words": _state(facts, when),
        "chain_words": _chain(facts["chain"], when),
        "records": [
            _record(record, programs, bodies, when) for record in facts["records"] if record["action"] != "ERASE"
        ],
        "requests": [_request(request, when) for request in facts["requests"]],
        "texts": [_text(text, when) for text in facts["texts"]],
        "texts_words": _texts_words(facts),
        "files": sorted(files.items()),
    }


def _when(moment: datetime | str | None, *, zone: ZoneInfo) -> str:
    if moment is None:
        return "–"
    at = (datetime.fromisoformat(moment) if isinstance(moment, str) else moment).astimezone(zone)
    return f"{at:%B} {at.day}, {at.year}, {at:%H:%M:%S} {at:%Z}"


def _state(facts: Mapping[str, Any], when: Any) -> str:
    stopped = facts["opted_out"]
    if stopped and stopped["came_back_at"] is None:
        return f"Opted out since {when(stopped['since'])} ({stopped['how']}): nothing is sent"
    if stopped:
        came_back = when(stopped["came_back_at"])
        return f"Not opted out: said stop on {when(stopped['since'])}, came back on {came_back}"
    return "Has never opted out"


def _chain(chain: Mapping[str, Any], when: Any) -> str:
    if not chain["links"]:
        return "Nothing is sealed yet"
    checked = f", checked {when(chain['checked_at'])}" if chain["checked_at"] else ""
    found = "unbroken" if not chain["findings"] else f"BROKEN: {chain['findings'][0]}"
    return f"A chain of {chain['links']:,} links{checked}: {found}"


def _record(
    record: Mapping[str, Any], programs: Mapping[int, Any], bodies: Mapping[str, str], when: Any
) -> dict[str, Any]:
    program = programs.get(record["program"] or 0)
    told = {version["version"]: version for version in program["versions"]} if program else {}
    version = told.get(record["program_version"] or 0) if record["action"] == "GRANT" else None
    stated = record["import"]
    pairs = [
        ("How", stated["how"] if stated else None),
        ("Stated by", stated["stated_by"] if stated else None),
        ("Undone", _undone(stated, when)),
        ("Note", record["note"]),
        ("Page", record["source_url"]),
        ("IP address", record["ip_address"]),
        ("Browser", record["user_agent"]),
        ("Name", record["identity"]),
        ("Text of theirs", _quoted(record["inbound"], bodies)),
        ("Evidence", _evidence(record["evidence"])),
    ]
    seal = record["seal"]
    return {
        "id": record["id"],
        "action": record["action"],
        "title": _title(record, program["name"] if program else ""),
        "at_words": when(record["occurred_at"]),
        "medium_words": record["medium_words"],
        "by_words": _by(record),
        "agreed_words": version["words"] if version else None,
        "version_words": _version(version, stated, when) if version else "",
        "lines": [(name, value) for name, value in pairs if value],
        "seal": seal,
        "seal_words": f"Recorded {when(record['recorded_at'])}, sealed {when(seal['sealed_at'])} as link "
        f"{seal['sequence']}"
        if seal
        else f"Recorded {when(record['recorded_at'])}, not sealed yet",
    }


def _request(request: Mapping[str, Any], when: Any) -> dict[str, Any]:
    asked_for = f"{when(request['asked_for_at'])}, {request['medium_words'][:1].lower()}{request['medium_words'][1:]}"
    answered = f" on {when(request['answered_at'])}" if request["answered_at"] else ""
    pairs = [
        ("Asked for", asked_for),
        ("Why", request["basis"]),
        ("Noted by", request["noted_by"]),
        ("Page", request["source_url"]),
        ("IP address", request["ip_address"]),
        ("Browser", request["user_agent"]),
        ("Evidence", _evidence(request["evidence"])),
        ("Answer", f"{request['state_words']}{answered}"),
    ]
    return {
        "title": f"Asked whether they want “{request['program']}”",
        "at_words": when(request["requested_at"]),
        "lines": [(name, value) for name, value in pairs if value],
    }


def _undone(stated: Mapping[str, Any] | None, when: Any) -> str | None:
    if not stated or stated["undone_at"] is None:
        return None
    return f"The import was taken back on {when(stated['undone_at'])}: this record counts for nothing since"


def _evidence(file: Mapping[str, Any] | None) -> str | None:
    if file is None:
        return None
    return f"{file['file']} (lost: it is not in this pack)" if file["lost"] else str(file["file"])


def _version(version: Mapping[str, Any], stated: Mapping[str, Any] | None, when: Any) -> str:
    since = f"used since {when(version['since'])}"
    if stated:  # people may have agreed before the words stood here
        return f"Version {version['version']} of the program's words, {since}: those that the import names"
    return f"Version {version['version']} of these words, {since}"


def _by(record: Mapping[str, Any]) -> str:
    by = record["noted_by"]
    return "by the person" if by == record["sealed_form"]["phone"] else f"noted by {by}" if by else ""


def _quoted(sid: str | None, bodies: Mapping[str, str]) -> str | None:
    return f"“{bodies[sid]}” ({sid})" if sid and sid in bodies else sid


def _title(record: Mapping[str, Any], program: str) -> str:
    if record["action"] == "GRANT":
        return f"Agreed to “{program}”" if program else "Began a conversation by a text of their own"
    if record["action"] == "WITHDRAW":
        return f"Withdrew from “{program}”" if program else "Ended the conversation"
    return "Said stop: no texts of any kind" if record["action"] == "STOP" else "Came back: may be texted again"


def _text(text: Mapping[str, Any], when: Any) -> dict[str, Any]:
    return {
        "at_words": when(text["sent_at"] or text["written_at"]),
        "direction": text["direction"],
        "body": text["body"],
        "state_words": WORDS.get(text["state"], "came in") if text["state"] != "RECEIVED" else "came in",
    }


def _texts_words(facts: Mapping[str, Any]) -> str:
    shown, number = len(facts["texts"]), facts["texts_in_all"]
    if not number:
        return "No text has gone either way."
    if shown < number:
        return f"The newest {shown:,} of {number:,} texts in either direction."
    return f"All {number:,} texts in either direction." if number > 1 else "The one text there is."
