"""Check the seals of an evidence pack, with nothing but Python: `python3 verify.py evidence.json`.

Every record is hashed anew from what the pack says of it, and followed by its path to the link of the chain that covers
it. Compare the chain's hashes with those that were exported on the days in question: nobody can make these afterwards.
"""

import hashlib
import json
import sys
from typing import Any


def faults(pack: dict[str, Any]) -> list[str]:
    """What is not as it was sealed, in words; a record without a seal was not sealed yet when the pack was made."""
    found = []
    for record in pack["records"]:
        seal = record["seal"]
        if seal is None:
            continue
        form = record["sealed_form"]
        own = _sha256(json.dumps(form, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode())
        told = {"id": form["id"], "action": form["action"], "occurred_at": form["occurred_at"]}
        if own != seal["digest"] or any(record[name] != value for name, value in told.items()):
            found.append(f"record {record['id']} is not what was sealed")
            continue
        node = bytes.fromhex(own)
        for side, beside in seal["path"]:
            other = bytes.fromhex(beside)
            node = hashlib.sha256(b"\x01" + (other + node if side == "left" else node + other)).digest()
        link = f"{seal['former_hash']}:{seal['sequence']}:{seal['link_digest']}"
        if node.hex() != seal["link_digest"] or _sha256(link.encode()) != seal["chain_hash"]:
            found.append(f"record {record['id']} does not lead to link {seal['sequence']}")
    return found


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:  # a file of whoever checks, on their machine
        broken = faults(json.load(file))
    sys.stdout.write("\n".join(broken or ["Every sealed record is as it was sealed."]) + "\n")
    sys.exit(1 if broken else 0)
