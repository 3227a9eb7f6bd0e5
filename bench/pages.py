"""Server time of every page with 100,000 contacts and 1,000,000 messages, and with a tenth of them."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import quantiles
from uuid import uuid4

from django.conf import settings
from django.test import Client

from accounts.models import Organization
from audiences.queries import Audience
from bench.report import line, note
from bench.tenant import ACTOR, add_people, analyze, make_tenant
from campaigns.actions import (
    DraftContent,
    DraftOrigin,
    add_outreach,
    create_campaign,
    launch_outreach,
    quote_outreach,
    save_draft,
)
from campaigns.models import Outreach
from common.clock import now
from common.sql import fetch_all
from common.sql import run as execute
from common.tenancy import organization_scope
from contacts.actions import create_list
from senders.models import SenderNumber

CONTACTS = 100_000
MESSAGES = 1_000_000
ROUNDS = 40
LIMIT_MS = 100.0


@dataclass(frozen=True, slots=True)
class House:
    """A tenant with so many contacts, and the addresses of its pages by name."""

    client: Client
    pages: dict[str, str]
    posts: dict[str, tuple[str, dict[str, str]]]


def run() -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    small = _timed("a tenth", lambda: _house(CONTACTS // 10, MESSAGES // 10))
    large = _timed("whole", lambda: _house(CONTACTS, MESSAGES))
    worst = 0.0
    for name in [*large.pages, *large.posts]:
        tenth, whole = _p95(small, name), _p95(large, name)
        worst = max(worst, whole)
        line(
            "pages",
            name,
            whole,
            "ms at p95",
            reference=round(tenth, 1),
            reference_is="with a tenth of contacts and messages",
            ratio=round(whole / tenth, 2),
            n=ROUNDS,
            within=whole < LIMIT_MS,
        )
    line("pages", "slowest page", worst, "ms at p95", reference=LIMIT_MS, reference_is="limit", n=ROUNDS)


def _timed(words: str, build: Callable[[], House]) -> House:
    started = time.perf_counter()
    house = build()
    note(f"{words}: made in {time.perf_counter() - started:.0f} s")
    return house


def _p95(house: House, name: str) -> float:
    def ask() -> int:
        if name in house.posts:
            address, data = house.posts[name]
            return int(house.client.post(address, data, headers={"HX-Request": "true"}).status_code)
        return int(house.client.get(house.pages[name]).status_code)

    times = []
    for _ in range(ROUNDS + 3):
        started = time.perf_counter()
        status = ask()
        times.append((time.perf_counter() - started) * 1000)
        assert status == 200, (name, status)
    return quantiles(times[3:], n=20)[-1]


def _house(contacts: int, messages: int) -> House:
    tenant = make_tenant(credits=messages * 4)
    organization, owner, program, number = tenant.organization, tenant.owner, tenant.program, tenant.number
    add_people(tenant, contacts)
    with organization_scope(organization.id):
        half = create_list(name="Half", actor=ACTOR, now=now())
        facts = {
            "organization": organization.id,
            "program": program.id,
            "contacts": contacts,
            "now": now(),
            "list": half.id,
            "number": number.id,
            "account": number.carrier_account_id,
        }
        for statement in _PEOPLE:
            execute(statement, facts)
    outreaches = [_campaign(organization, program, number, index) for index in range(messages // contacts)]
    for outreach in outreaches:
        _send(organization, outreach, facts)
    review = _campaign(organization, program, number, 99)
    with organization_scope(organization.id):
        draft = save_draft(
            DraftContent("Draft", program, number, "Hello {{ first_name|there }}"),
            origin=DraftOrigin(uuid4(), 0),
            actor=ACTOR,
            now=now(),
        )
        ((contact_id, conversation_id),) = fetch_all(
            "SELECT (SELECT min(id) FROM contacts_contact WHERE organization_id = %(organization)s),"
            " (SELECT min(id) FROM inbox_conversation WHERE organization_id = %(organization)s)",
            facts,
        )
    analyze()
    campaign = outreaches[0].campaign_id
    pages = {
        "home": "/",
        "campaigns": "/campaigns/",
        "campaign": f"/campaigns/{campaign}/",
        "recipients": f"/campaigns/{campaign}/recipients/",
        "recipients, failed": f"/campaigns/{campaign}/recipients/?show=failed",
        "recipients, one error": f"/campaigns/{campaign}/recipients/?show=failed&code=30005",
        "recipients, on the way": f"/campaigns/{campaign}/recipients/?show=way",
        "left out": f"/campaigns/{campaign}/left-out/?reason=no_consent",
        "composer": f"/campaigns/{draft.id}/edit/",
        "composer, empty": "/campaigns/new/",
        "review": f"/campaigns/{review.campaign_id}/review/",
        "inbox": "/inbox/",
        "conversation": f"/inbox/{conversation_id}/",
        "contacts": "/contacts/",
        "contacts, a name": "/contacts/?q=name77",
        "contacts, nobody": "/contacts/?q=qqqxyz",
        "contacts, digits": "/contacts/?q=200-0012",
        "contact": f"/contacts/{contact_id}/",
        "lists": "/contacts/lists/",
        "list": f"/contacts/lists/{half.id}/",
        "list, a name": f"/contacts/lists/{half.id}/?q=name77",
        "templates": "/templates/",
        "test to oneself": f"/campaigns/{draft.id}/test/",
        "settings": "/settings/",
        "programs": "/programs/",
        "numbers": "/numbers/",
        "registration": f"/numbers/{number.id}/registration/",
        "billing": "/billing/",
        "import": "/contacts/import/",
        "staff queue": "/staff/",
    }
    posts = {
        "autosave": (
            "/campaigns/draft/",
            {
                "form_id": str(draft.form_id),
                "revision": "1",
                "name": "Draft",
                "number": str(number.id),
                "program": str(program.id),
                "body": "Hello {{ first_name|there }}, again",
                "opt_out_word": "STOP",
                "overwrite": "1",
            },
        )
    }
    client = Client()
    client.force_login(owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    return House(client, pages, posts)


def _campaign(organization: Organization, program: object, number: SenderNumber, index: int) -> Outreach:
    with organization_scope(organization.id):
        campaign = create_campaign(
            name=f"Campaign {index}",
            program=program,  # type: ignore[arg-type]
            number=number,
            body=f"Hello {{{{ first_name|there }}}}, news {index}",
            actor=ACTOR,
            now=now(),
        )
        outreach = add_outreach(campaign, Audience(), actor=ACTOR, now=now())
    quote_outreach(organization_id=organization.id, outreach_id=outreach.id, now=now())
    with organization_scope(organization.id):
        outreach.refresh_from_db()
    return outreach


def _send(organization: Organization, outreach: Outreach, facts: dict[str, object]) -> None:
    """As if it had been sent: launched by the action, its messages and counters written as they end up."""
    with organization_scope(organization.id):
        launch_outreach(outreach.id, quote_id=outreach.quote_id, actor=ACTOR, now=now())  # type: ignore[arg-type]
        own = facts | {"campaign": outreach.campaign_id, "outreach": outreach.id, "source": outreach.source}
        for statement in _SENT:
            execute(statement, own)


_PEOPLE = (
    """INSERT INTO contacts_listmember (organization_id, contact_list_id, contact_id)
    SELECT organization_id, %(list)s, id FROM contacts_contact
    WHERE organization_id = %(organization)s AND id %% 2 = 0""",
    """INSERT INTO inbox_conversation (organization_id, sender_number_id, phone, last_text, last_received_at, unread)
    SELECT organization_id, %(number)s, phone, 'Thanks', %(now)s - id * interval '1 second', (id %% 7 = 0)::int
    FROM contacts_contactphone WHERE organization_id = %(organization)s AND id %% 10 = 0""",
    """INSERT INTO messaging_inboundtext (organization_id, sender_number_id, carrier_account_id, sid, phone, body,
        received_at)
    SELECT organization_id, %(number)s, %(account)s, 'SM' || organization_id || '-' || id, phone, 'Thanks', %(now)s
    FROM contacts_contactphone WHERE organization_id = %(organization)s AND id %% 10 = 0""",
)

_SENT = (
    """INSERT INTO messaging_stream (organization_id, sender_number_id, kind, priority, source, bucket, program_id,
        media_ids, held_for, state, created_at)
    VALUES (%(organization)s, %(number)s, 'CAMPAIGN', 5, %(source)s, '*', %(program)s, '{}', '', 'CLOSED', %(now)s)""",
    """INSERT INTO messaging_message (organization_id, stream_id, sender_number_id, carrier_account_id, campaign_id,
        contact_id, phone, body, encoding, segments, credits, digest, state, reason, error_code, captured, created_at,
        accepted_at, settled_at)
    SELECT p.organization_id, s.id, %(number)s, %(account)s, %(campaign)s, p.contact_id, p.phone,
        'Hello, news of the day. Reply STOP to stop.', 'GSM-7', 1, 1, 7,
        CASE WHEN p.id %% 50 = 0 THEN 'UNDELIVERED' ELSE 'DELIVERED' END, '',
        CASE WHEN p.id %% 50 = 0 THEN 30003 + p.id %% 4 END, true, %(now)s, %(now)s, %(now)s
    FROM contacts_contactphone p, messaging_stream s
    WHERE p.organization_id = %(organization)s AND s.organization_id = p.organization_id AND s.source = %(source)s""",
    """INSERT INTO messaging_outcomecount (organization_id, stream_id, state, messages, segments, credits)
    SELECT m.organization_id, m.stream_id, m.state, count(*), sum(m.segments), sum(m.credits)
    FROM messaging_message m JOIN messaging_stream s ON s.id = m.stream_id
    WHERE s.organization_id = %(organization)s AND s.source = %(source)s GROUP BY 1, 2, 3""",
    """INSERT INTO messaging_speedsample (organization_id, stream_id, sampled_at, segments)
    SELECT organization_id, id, %(now)s - n * interval '2 seconds', 200
    FROM messaging_stream, generate_series(1, 2000) n
    WHERE organization_id = %(organization)s AND source = %(source)s""",
    """UPDATE campaigns_outreach SET state = 'CLOSED', close_reason = 'completed', settled_at = %(now)s
    WHERE id = %(outreach)s""",
    "UPDATE campaigns_campaign SET state = 'COMPLETED', completed_at = %(now)s WHERE id = %(campaign)s",
)
