"""Where the heads of the chains go: files outside the database, so that its superuser cannot rewrite them unseen.

One folder for each organization: `links.jsonl` has a line for each link, `SEQUENCE.leaves` the digests of one over many
records. They are only ever added to. Point CONSENT_HEADS_DIR at storage that whoever administers the database cannot
write to.
"""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from django.conf import settings

from consent.rules.seals import LEAF_BYTES, Link, leaves_in

_LINKS = "links.jsonl"
_AT_ONCE = 1000


def exported_links(organization_id: int) -> Iterator[Link]:
    """The links that were exported, in order; a line that a crash tore is passed over, its link was written again."""
    path = _folder(organization_id) / _LINKS
    if not path.exists():
        return
    due = 1
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            try:
                link = Link(**json.loads(line))
            except (ValueError, TypeError):
                continue
            if link.sequence == due:
                due += 1
                yield link


def exported_leaves(organization_id: int, sequence: int) -> Iterator[tuple[int, str]]:
    """The records of a link over many as they were exported: id and digest (hex)."""
    path = _folder(organization_id) / f"{sequence}.leaves"
    if path.exists():
        with path.open("rb") as file:
            while packed := file.read(LEAF_BYTES * _AT_ONCE):
                yield from leaves_in(packed)


def export_leaves(organization_id: int, sequence: int, batches: Iterable[bytes]) -> None:
    """Write the digests of a link over many records, whole or not at all."""
    folder = _folder(organization_id)
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f"{sequence}.unfinished"
    with unfinished.open("wb") as file:
        for packed in batches:
            file.write(packed)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(folder / f"{sequence}.leaves")


def export_links(organization_id: int, links: Iterable[Link]) -> None:
    """Append links. Their leaves go first: a link that is there is there wholly."""
    folder = _folder(organization_id)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LINKS).open("a", encoding="utf-8") as file:
        torn = "\n" if file.tell() else ""  # a former write may have ended in the middle of its line
        file.write(torn + "".join(json.dumps(asdict(link)) + "\n" for link in links))
        file.flush()
        os.fsync(file.fileno())


def _folder(organization_id: int) -> Path:
    return Path(settings.CONSENT_HEADS_DIR) / str(organization_id)
