"""Check the seals of an evidence pack, with nothing but Python: `python3 verify.py evidence.json`, in its folder.

Every record is hashed anew from what the pack says of it, and followed by its path to the link of the chain that covers
it; the words that were agreed to, the files that prove it and what an import stated are held against the hashes in it.
Compare the chain's hashes with those that were exported on the days in question: nobody can make these afterwards.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

TOLD = {
    "id": "id",
    "action": "action",
    "program": "program_id",
    "program_version": "program_version",
    "occurred_at": "occurred_at",
    "recorded_at": "recorded_at",
    "medium": "medium",
    "source_url": "source_url",
    "ip_address": "ip_address",
    "user_agent": "user_agent",
    "identity": "identity",
    "note": "note",
    "noted_by": "actor_label",
    "inbound": "inbound_sid",
    "asked_by_text": "message_id",
}
"""What the pack says of a record, and the name under which it was sealed."""
STATED = {"id": "id", "how": "how", "agreed_at": "agreed_at", "stated_by": "actor_label"}
"""The same of what an import stated."""


def faults(pack: dict[str, Any], folder: Path) -> list[str]:
    """What is not as it was sealed, in words; a record without a seal was not sealed yet when the pack was made."""
    words = {
        (program["id"], version["version"]): _sha256(version["words"].encode())
        for program in pack["programs"]
        for version in program["versions"]
    }
    found = []
    for record in pack["records"]:
        if record["seal"] is not None:
            found += [f"record {record['id']} {fault}" for fault in _faults(record, words, folder)]
    return found


def _faults(record: dict[str, Any], words: dict[tuple[int, int], str], folder: Path) -> list[str]:
    seal, form, stated = record["seal"], record["sealed_form"], record["import"]
    if _digest(form) != seal["digest"] or _differs(record, form, TOLD):
        return ["is not what was sealed"]
    node = bytes.fromhex(seal["digest"])
    for side, beside in seal["path"]:
        other = bytes.fromhex(beside)
        node = hashlib.sha256(b"\x01" + (other + node if side == "left" else node + other)).digest()
    link = f"{seal['former_hash']}:{seal['sequence']}:{seal['link_digest']}"
    if node.hex() != seal["link_digest"] or _sha256(link.encode()) != seal["chain_hash"]:
        return [f"does not lead to link {seal['sequence']}"]
    found = []
    if stated is not None:
        last = seal["path"][-1][1] if seal["path"] else ""
        if _digest(stated["sealed_form"]) != last or _differs(stated, stated["sealed_form"], STATED):
            return ["comes from an import that did not state this"]
        form = {**stated["sealed_form"], **{name: value for name, value in form.items() if value is not None}}
    agreed = form.get("words_sha256")
    if agreed is not None and words.get((form["program_id"], form["program_version"])) != agreed:
        found.append("was given to other words")
    proof = form.get("evidence_sha256")
    if proof is not None:
        file = folder / record["evidence"]["file"] if record["evidence"] else None
        if file is None or not file.is_file():
            found.append("had a file that proves it, which is missing")
        elif _sha256(file.read_bytes()) != proof:
            found.append("is proven by another file")
    return found


def _differs(told: dict[str, Any], form: dict[str, Any], names: dict[str, str]) -> bool:
    return any((told[name] or None) != (form.get(sealed) or None) for name, sealed in names.items())


def _digest(form: dict[str, Any]) -> str:
    return _sha256(json.dumps(form, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    pack = Path(sys.argv[1])  # a file of whoever checks, on their machine
    broken = faults(json.loads(pack.read_text(encoding="utf-8")), pack.parent)
    sys.stdout.write("\n".join(broken or ["Every sealed record is as it was sealed."]) + "\n")
    sys.exit(1 if broken else 0)
