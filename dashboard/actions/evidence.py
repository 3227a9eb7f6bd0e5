"""Making an evidence pack."""

import io
import zipfile
from datetime import datetime

from accounts.actions import audit
from accounts.queries import current_organization
from common.actor import Actor
from common.phones import for_people
from content.queries import path_of
from dashboard.queries.evidence import evidence_of, file_name
from dashboard.rules.evidence import VERIFIER, as_json, as_pdf


def make_evidence_pack(phone: str, *, actor: Actor, now: datetime) -> bytes:
    """A ZIP of everything that proves what a phone agreed to: PDF, JSON, the files, and a program that checks it."""
    organization = current_organization()
    evidence = evidence_of(phone, made_by=actor.label, now=now)
    audit(action="evidence.made", subject=organization, actor=actor, now=now, phone=phone)
    pack = io.BytesIO()
    with zipfile.ZipFile(pack, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("evidence.json", as_json(evidence.facts))
        archive.writestr(
            "evidence.pdf", as_pdf(evidence.facts, zone=organization.time_zone, phone_words=for_people(phone))
        )
        archive.write(VERIFIER, "verify.py")
        for file in evidence.files:
            path = path_of(file)
            if path.exists():  # a file lost from the disk must not keep the rest from whoever needs it
                archive.write(path, file_name(file))
    return pack.getvalue()
