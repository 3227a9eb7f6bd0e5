"""What looks across apps: the journey of a contact and all that is known of it, and the tasks of a new organization."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from campaigns.models import Campaign, Outreach
from campaigns.queries import fate
from common.sql import fetch_all
from common.tenancy import current_organization_id
from consent.models import Program
from consent.queries import medium_words
from consent.rules.projection import CONVERSATIONAL
from contacts.models import Contact
from contacts.queries import custom_fields, lists_of, phones_of
from contacts.rules.people import COLUMNS
from messaging.rules.states import State
from senders.models import NumberStatus, SenderNumber

STEPS = 100
KINDS = {"all": "All", "messages": "Messages", "consent": "Consent", "campaigns": "Campaigns", "imports": "Imports"}
"""The filters of the journey (B6)."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened with a contact; `words` is the small print beneath."""

    at: datetime
    title: str
    body: str
    words: str
    url: str = ""


def journey(phones: Sequence[str], *, kind: str) -> list[Step]:
    """The newest steps of the phones of a contact, newest first, of one kind of KINDS or all."""
    wanted = [key for key in _PARTS if kind in ("all", *_FILTERS[key])]
    if not wanted or not phones:
        return []
    sql = " UNION ALL ".join(f"({_PARTS[key]} ORDER BY at DESC LIMIT {STEPS})" for key in wanted)
    rows = fetch_all(
        f"SELECT * FROM ({sql}) AS steps ORDER BY at DESC LIMIT {STEPS}",
        {"organization": current_organization_id(), "phones": list(phones), "only_campaigns": kind == "campaigns"},
    )
    campaigns = Campaign.objects.in_bulk([row[5] for row in rows if row[1] == "message" and row[5]])
    programs = Program.objects.in_bulk([row[5] for row in rows if row[1] == "consent" and row[5]])
    return [_step(*row, campaigns=campaigns, programs=programs) for row in rows]


def _step(
    at: datetime,
    key: str,
    verb: str,
    body: str,
    detail: str,
    subject: int | None,
    *,
    campaigns: dict[int, Campaign],
    programs: dict[int, Program],
) -> Step:
    if key == "message":
        campaign = campaigns.get(subject or 0)
        code, _, reason = detail.partition(":")
        words = fate(State(verb), error_code=int(code) if code else None, reason=reason)
        if campaign is None:
            return Step(at, "We wrote", body, words)
        return Step(at, f"Campaign “{campaign.name}”", body, words, reverse("campaigns:detail", args=[campaign.id]))
    if key == "inbound":
        return Step(at, "They wrote", body, "")
    if key == "click":
        title = "Followed a link" if body else "Opened the page of the way out"
        return Step(at, title, body, "", reverse("campaigns:detail", args=[subject]))
    if key == "import":
        return Step(at, f"Imported from “{body}”", "", detail, reverse("contacts:import", args=[subject]))
    if verb in ("STOP", "START"):
        title = _STOPS.get(detail, "Opted out") if verb == "STOP" else "Texted START: may be texted again"
        return Step(at, title, body, "")
    if subject == CONVERSATIONAL:
        title = "Conversational consent by their text" if verb == "GRANT" else "Their conversation was ended"
        return Step(at, title, body, medium_words(detail))
    program = programs.get(subject or 0)
    name = program.name if program else "a program"
    title = f"Agreed to {name}" if verb == "GRANT" else f"Withdrew from {name}"
    return Step(at, title, body, medium_words(detail))


_STOPS = {
    "INBOUND_TEXT": "Said STOP",
    "CARRIER": "Opted out at the carrier",
    "STAFF": "Opted out, noted by staff",
    "FILE": "Opted out, from a file",
    "LINK": "Opted out by the link in a text",
}

_FILTERS = {
    "message": ("messages", "campaigns"),
    "inbound": ("messages",),
    "click": ("messages", "campaigns"),
    "consent": ("consent",),
    "import": ("imports",),
}

# Each row: at, key, verb, body, detail, subject.
_PARTS = {
    "message": """
SELECT COALESCE(accepted_at, created_at) AS at, 'message' AS key, state AS verb, body,
    COALESCE(error_code::text, '') || ':' || reason AS detail, campaign_id AS subject
FROM messaging_message WHERE organization_id = %(organization)s AND phone = ANY(%(phones)s)
    AND (campaign_id IS NOT NULL OR NOT %(only_campaigns)s) AND (reply_key IS NULL OR reply_key NOT LIKE 'test:%%')""",
    "inbound": """
SELECT received_at AS at, 'inbound', '', body, '', NULL
FROM messaging_inboundtext WHERE organization_id = %(organization)s AND phone = ANY(%(phones)s)""",
    "click": """
SELECT s.clicked_at AS at, 'click', '', l.url, '', l.campaign_id
FROM messaging_shortlink s JOIN messaging_link l ON l.organization_id = s.organization_id AND l.id = s.link_id
WHERE s.organization_id = %(organization)s AND s.phone = ANY(%(phones)s) AND s.clicked_at IS NOT NULL""",
    "consent": """
SELECT r.occurred_at AS at, 'consent', r.action, COALESCE(s.how, r.note, r.source_url, r.identity, ''), r.medium,
    r.program_id
FROM consent_consentrecord r LEFT JOIN consent_importstatement s
    ON s.organization_id = r.organization_id AND s.id = r.import_statement_id
WHERE r.organization_id = %(organization)s AND r.phone = ANY(%(phones)s)""",
    "import": """
SELECT i.created_at AS at, 'import', '', f.name, r.actor_label, i.id
FROM consent_consentrecord r
JOIN contacts_import i ON i.organization_id = r.organization_id AND i.statement_id = r.import_statement_id
JOIN content_storedfile f ON f.organization_id = i.organization_id AND f.id = i.file_id
WHERE r.organization_id = %(organization)s AND r.phone = ANY(%(phones)s)""",
}


def everything_about(contact: Contact) -> dict[str, object]:
    """All that is known of one person and their phones, in words and figures that can be read anywhere."""
    phones = [row.phone for row in phones_of(contact)]
    facts = {"organization": current_organization_id(), "phones": phones, "contact": contact.id}
    known: dict[str, object] = {
        "contact": {name: getattr(contact, name) for name in COLUMNS}
        | {"id": contact.id, "known_since": contact.created_at, "changed": contact.updated_at},
        "own_fields": {row.name: contact.custom[row.key] for row in custom_fields() if row.key in contact.custom},
        "phones": [
            {"phone": row.phone, "kind": row.get_label_display(), "textable": row.textable}
            for row in phones_of(contact)
        ],
        "lists": [str(row) for row in lists_of(contact)],
    }
    return known | {name: _as_rows(sql, facts) for name, sql in _EVERYTHING.items()}


def _as_rows(sql: str, facts: dict[str, object]) -> list[dict[str, object]]:
    return [json.loads(row) for (row,) in fetch_all(f"SELECT to_jsonb(x)::text FROM ({sql}) x", facts)]


_EVERYTHING = {
    "consent": """
SELECT r.phone, CASE WHEN r.program_id = 0 THEN 'conversational' ELSE g.name END AS program, r.action, r.occurred_at,
    r.medium, s.how, r.note, r.source_url, r.ip_address, r.user_agent, r.identity,
    r.actor_label AS noted_by, r.recorded_at
FROM consent_consentrecord r
LEFT JOIN consent_program g ON g.organization_id = r.organization_id AND g.id = r.program_id
LEFT JOIN consent_importstatement s ON s.organization_id = r.organization_id AND s.id = r.import_statement_id
WHERE r.organization_id = %(organization)s AND r.phone = ANY(%(phones)s::text[]) ORDER BY r.id""",
    "opt_outs": """
SELECT phone, source, detail, opted_out_at, lifted_at FROM consent_optout
WHERE organization_id = %(organization)s AND phone = ANY(%(phones)s::text[]) ORDER BY id""",
    "texts_to_the_person": """
SELECT m.phone, c.name AS campaign, m.body, m.state, m.error_code, m.reason, m.created_at, m.accepted_at, m.settled_at
FROM messaging_message m
LEFT JOIN campaigns_campaign c ON c.organization_id = m.organization_id AND c.id = m.campaign_id
WHERE m.organization_id = %(organization)s AND m.phone = ANY(%(phones)s::text[]) ORDER BY m.id""",
    "texts_of_the_person": """
SELECT phone, body, received_at FROM messaging_inboundtext
WHERE organization_id = %(organization)s AND phone = ANY(%(phones)s::text[]) ORDER BY id""",
    "links_followed": """
SELECT s.phone, l.url, s.clicked_at FROM messaging_shortlink s
JOIN messaging_link l ON l.organization_id = s.organization_id AND l.id = s.link_id
WHERE s.organization_id = %(organization)s AND s.phone = ANY(%(phones)s::text[]) AND s.clicked_at IS NOT NULL
ORDER BY s.id""",
    "recipient_lists": """
SELECT f.name AS file, r.phone, r.first_name, r.last_name, r.email, r.company, r.language, r.city, r.region, r.postcode,
    r.country, r.time_zone, r.custom AS own_fields, i.created_at
FROM contacts_importedperson r
JOIN contacts_import i ON i.organization_id = r.organization_id AND i.id = r.import_id
JOIN content_storedfile f ON f.organization_id = i.organization_id AND f.id = i.file_id
WHERE r.organization_id = %(organization)s AND r.phone = ANY(%(phones)s::text[]) ORDER BY r.id""",
    "files_that_brought_them": """
SELECT f.name AS file, b.phone, i.created_at FROM contacts_importedcontact b
JOIN contacts_import i ON i.organization_id = b.organization_id AND i.id = b.import_id
JOIN content_storedfile f ON f.organization_id = i.organization_id AND f.id = i.file_id
WHERE b.organization_id = %(organization)s AND b.contact_id = %(contact)s ORDER BY i.id""",
}


@dataclass(frozen=True, slots=True)
class Task:
    """A step on the way to the first campaign."""

    words: str
    url: str
    done: bool


def first_tasks() -> list[Task]:
    """What a new organization has to do until its first campaign is sent, in order."""
    numbers = set(SenderNumber.objects.values_list("status", flat=True))
    return [
        Task("Ask for a number", reverse("senders:ask"), bool(numbers)),
        Task("Register it for campaigns", reverse("senders:numbers"), NumberStatus.REGISTERED in numbers),
        Task("Write a program: what people agree to get", reverse("consent:program_new"), Program.objects.exists()),
        Task("Import your contacts", reverse("contacts:import_new"), Contact.objects.exists()),
        Task(
            "Send the first campaign",
            reverse("campaigns:new"),
            Campaign.objects.exclude(state="DRAFT").exists(),
        ),
    ]


@dataclass(frozen=True, slots=True)
class Purpose:
    """What credits moved for, in words, with the page of it where there is one."""

    words: str
    url: str = ""


def purposes(references: Sequence[str]) -> dict[str, Purpose]:
    """What the references of ledger entries stand for; one that names nothing known is shown as it is."""
    ids = {reference: int(match[1]) for reference in references if (match := _OUTREACH.match(reference))}
    outreaches = Outreach.objects.select_related("campaign").in_bulk(set(ids.values()))
    found = {}
    for reference in references:
        outreach = outreaches.get(ids.get(reference, 0))
        if outreach is not None:
            url = reverse("campaigns:detail", args=[outreach.campaign_id])
            found[reference] = Purpose(f"Campaign “{outreach.campaign}”", url)
        else:
            kind, _, rest = reference.partition(":")
            found[reference] = Purpose(_REFERENCES.get(kind, "{rest}").format(rest=rest or kind))
    return found


_OUTREACH = re.compile(r"outreach:(\d+)\b")
_REFERENCES = {
    "plan": "Plan {rest}",
    "order": "Order {rest}",
    "number": "Answers and other single texts",
    "replies": "Answers",
    "tests": "Tests to yourselves",
    "opt-ins": "Questions whether people want your texts",
}
