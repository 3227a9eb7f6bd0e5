"""What proves, of one phone, that it was texted by leave: the contents of its evidence pack (F2).

The shape is that of docs/evidence-pack.schema.json.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from accounts.queries import current_organization
from common.sql import fetch_all
from consent.models import Action, ConsentRecord, ImportStatement, OptInRequest, OptOut, Program, ProgramVersion
from consent.queries import SealProof, chain_head, last_check, medium_words, seal_proofs, sealed_form
from consent.rules.projection import CONVERSATIONAL
from content.models import StoredFile
from content.queries import path_of

FORMAT = "carillon-evidence/1"
TEXTS = 1_000
"""The newest texts in either direction that a pack holds; how many there are is said."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a pack says, and the files that go with it."""

    facts: dict[str, Any]
    files: tuple[StoredFile, ...]


def evidence_of(phone: str, *, made_by: str, now: datetime) -> Evidence:
    """Everything that proves what a phone agreed to, and what was sent to it and came from it."""
    organization = current_organization()
    records = list(ConsentRecord.objects.filter(phone=phone).order_by("occurred_at", "id"))
    statements = ImportStatement.objects.in_bulk([record.import_statement_id for record in records])
    requests = list(OptInRequest.objects.filter(phone=phone).select_related("program").order_by("created_at", "id"))
    of_records = {record.evidence_id for record in records} | {one.evidence_id for one in statements.values()}
    evidence_ids = of_records | {request.evidence_id for request in requests}
    files = StoredFile.objects.in_bulk([one for one in evidence_ids if one is not None])
    proofs = seal_proofs(records)
    head, check = chain_head(), last_check()
    opted_out = OptOut.objects.filter(phone=phone).first()
    parameters = {"organization": organization.id, "phone": phone, "limit": TEXTS}
    facts: dict[str, Any] = {
        "format": FORMAT,
        "organization": {"id": organization.id, "name": organization.name},
        "phone": phone,
        "made_at": now,
        "made_by": made_by,
        "opted_out": None
        if opted_out is None
        else {
            "since": opted_out.opted_out_at,
            "how": opted_out.get_source_display(),
            "came_back_at": opted_out.lifted_at,
        },
        "programs": _programs({record.program_id for record in records}),
        "records": [_record(record, statements, files, proofs.get(record.id)) for record in records],
        "requests": [_request(request, files) for request in requests],
        "texts": [json.loads(row) for (row,) in fetch_all(_TEXTS, parameters)],
        "texts_in_all": fetch_all(_TEXTS_IN_ALL, parameters)[0][0],
        "chain": {
            "links": head.sequence if head else 0,
            "head": head.chain_hash if head else "",
            "checked_at": check.checked_at if check else None,
            "findings": check.findings if check else [],
        },
    }
    return Evidence(facts, tuple(files[key] for key in sorted(files)))


def _programs(ids: set[int]) -> list[dict[str, Any]]:
    versions: dict[int, list[dict[str, Any]]] = {}
    for version in ProgramVersion.objects.filter(program_id__in=ids).order_by("program_id", "version"):
        shown = {"version": version.version, "words": version.opt_in_text, "since": version.created_at}
        versions.setdefault(version.program_id, []).append(shown)
    return [
        {
            "id": program.id,
            "name": program.name,
            "level": program.level,
            "brand": program.brand,
            "frequency": program.frequency,
            "terms_url": program.terms_url,
            "privacy_url": program.privacy_url,
            "versions": versions.get(program.id, []),
        }
        for program in Program.objects.filter(id__in=ids).order_by("id")
    ]


def _record(
    record: ConsentRecord,
    statements: dict[int, ImportStatement],
    files: dict[int, StoredFile],
    proof: SealProof | None,
) -> dict[str, Any]:
    statement = statements.get(record.import_statement_id or 0)
    proven_by = record.evidence_id or (statement.evidence_id if statement else None)
    file = files.get(proven_by or 0)
    return {
        "id": record.id,
        "action": record.action,
        "words": Action(record.action).label,
        "program": None if record.program_id == CONVERSATIONAL else record.program_id,
        "program_version": record.program_version,
        "occurred_at": record.occurred_at,
        "recorded_at": record.recorded_at,
        "medium": record.medium,
        "medium_words": medium_words(record.medium),
        "source_url": record.source_url,
        "ip_address": record.ip_address,
        "user_agent": record.user_agent,
        "identity": record.identity,
        "note": record.note,
        "noted_by": record.actor_label,
        "inbound": record.inbound_sid,
        "asked_by_text": record.message_id,
        "import": None
        if statement is None
        else {
            "id": statement.id,
            "how": statement.how,
            "agreed_at": statement.agreed_at,
            "stated_by": statement.actor_label,
            "undone_at": statement.undone_at,
            "sealed_form": sealed_form(statement),
        },
        "evidence": _file(file),
        "sealed_form": sealed_form(record),
        "seal": asdict(proof) if proof else None,
    }


def _request(request: OptInRequest, files: dict[int, StoredFile]) -> dict[str, Any]:
    """Why somebody was asked by a text whether they want a program, answered or not."""
    return {
        "program": request.program.name,
        "asked_for_at": request.asked_for_at,
        "medium": request.medium,
        "medium_words": medium_words(request.medium),
        "basis": request.basis,
        "noted_by": request.actor_label,
        "source_url": request.source_url,
        "ip_address": request.ip_address,
        "user_agent": request.user_agent,
        "evidence": _file(files.get(request.evidence_id or 0)),
        "asked_by_text": request.message_id,
        "requested_at": request.created_at,
        "state": request.state,
        "state_words": request.get_state_display(),
        "answered_at": request.answered_at if request.state != OptInRequest.State.EXPIRED else None,
    }


def _file(file: StoredFile | None) -> dict[str, Any] | None:
    if file is None:
        return None
    return {
        "file": file_name(file),
        "name": file.name,
        "sha256": file.sha256,
        "type": file.content_type,
        "lost": not path_of(file).exists(),
    }


def file_name(file: StoredFile) -> str:
    """The name of an evidence file in the pack: its digest, with an ending by its type."""
    return f"files/{file.sha256}.{_ENDINGS.get(file.content_type, 'bin')}"


_ENDINGS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "image/heic": "heic",
    "application/pdf": "pdf",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "text/html": "html",
    "text/csv": "csv",
}

# A text's `sid` is what a consent record names as `inbound`, its `id` what one names as `asked_by_text`.
_TEXTS = """
SELECT to_jsonb(x)::text FROM (
    SELECT * FROM (
        (SELECT m.id, 'to the person' AS direction, n.sender AS number, m.body, m.state, m.sid,
            m.created_at AS written_at, m.accepted_at AS sent_at, s.program_id AS program, s.kind
        FROM messaging_message m
        JOIN messaging_stream s ON s.id = m.stream_id
        JOIN senders_sendernumber n ON n.id = m.sender_number_id
        WHERE m.organization_id = %(organization)s AND m.phone = %(phone)s ORDER BY m.id DESC LIMIT %(limit)s)
        UNION ALL
        (SELECT i.id, 'from the person', n.sender, i.body, 'RECEIVED', i.sid, i.received_at, i.received_at, NULL, ''
        FROM messaging_inboundtext i JOIN senders_sendernumber n ON n.id = i.sender_number_id
        WHERE i.organization_id = %(organization)s AND i.phone = %(phone)s ORDER BY i.id DESC LIMIT %(limit)s)
    ) both_ways ORDER BY COALESCE(sent_at, written_at) DESC, id DESC LIMIT %(limit)s
) x ORDER BY COALESCE(sent_at, written_at), id
"""

_TEXTS_IN_ALL = """
SELECT (SELECT count(*) FROM messaging_message WHERE organization_id = %(organization)s AND phone = %(phone)s)
    + (SELECT count(*) FROM messaging_inboundtext WHERE organization_id = %(organization)s AND phone = %(phone)s)
"""
