"""Server time of finding, paging and counting people with 10,000 and with 1,000,000 contacts."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Any

from django.conf import settings
from django.test import Client

from audiences.actions import save_group
from audiences.queries import Audience, Look, candidates, count_people, target_groups
from audiences.rules.conditions import Condition, Group, Node, from_json, to_json
from bench.report import line, note
from bench.tenant import ACTOR, add_people, analyze, make_tenant
from common.clock import now
from common.sql import fetch_all
from common.sql import run as execute
from common.tenancy import organization_scope
from contacts.actions import create_list
from contacts.models import Contact

SIZES = (10_000, 1_000_000)
ROUNDS = 30
LIMIT_MS = 150.0
SEARCHES = {
    "everybody": "",
    "everybody, from the middle": "after={middle}",
    "one person": "q=name9999",
    "everybody's word": "q=example.org",
    "a word of some": "q=company+97",
    "two words": "q=first77+town",
    "two letters": "q=to",
    "nobody": "q=qqqxyz",
    "nobody, two letters": "q=qz",
    "a phone": "q=(205)+200-9999",
    "the end of a phone": "q=9999",
}
GROUPS: dict[str, list[Condition | Group]] = {
    "a word": [Condition("city", "is", ("Town 7",))],
    "one person": [Condition("last_name", "is", ("Name9999",))],
    "nobody": [Condition("company", "contains", ("qqq",))],
    "a list": [Condition("list", "any_of", ("{list}",))],
    "area code": [Condition("area", "any_of", ("205",))],
    "agreed, not stopped": [Condition("program", "any_of", ("{program}",)), Condition("stopped", "no")],
    "not texted in 30 days": [Condition("texted", "not_past", ("30",))],
    "never delivered": [Condition("delivered", "never")],
    "all of it": [
        Condition("texted", "ever"),
        Group(False, (Condition("city", "begins", ("town 1",)), Condition("list", "any_of", ("{list}",)))),
        Condition("program", "any_of", ("{program}",)),
        Condition("replied", "never"),
    ],
}


@dataclass(frozen=True, slots=True)
class House:
    client: Client
    organization: int
    middle: int
    list_id: int
    program: int


def run() -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    houses = [_house(size) for size in SIZES]
    analyze()
    worst = 0.0
    cases = {name: f"/contacts/?{query}" for name, query in SEARCHES.items()}
    cases |= {"list": "/contacts/lists/{list}/", "list, one person": "/contacts/lists/{list}/?q=name9998"}
    for name, address in cases.items():
        few, many = (_p95(house, address) for house in houses)
        worst = max(worst, many)
        _line(name, few, many)
    for name, conditions in GROUPS.items():
        few, many = (_count(house, name, conditions) for house in houses)
        worst = max(worst, many)
        _line(f"live count: {name}", few, many)
    for name in ("a word", "all of it"):
        few, many = (_paged(house, name) for house in houses)
        line(
            "contacts",
            f"pages of a campaign's audience: {name}",
            many,
            "microseconds for each contact there is",
            reference=round(few, 1),
            reference_is="with 10,000 contacts",
            ratio=round(many / few, 2),
            n=1,
        )
    line("contacts", "slowest", worst, "ms at p95", reference=LIMIT_MS, reference_is="limit", n=ROUNDS)


def _line(name: str, few: float, many: float) -> None:
    line(
        "contacts",
        name,
        many,
        "ms at p95",
        reference=round(few, 1),
        reference_is="with 10,000 contacts",
        ratio=round(many / few, 2),
        n=ROUNDS,
        within=many < LIMIT_MS,
    )


def _house(size: int) -> House:
    tenant = make_tenant(credits=1)
    started = time.perf_counter()
    add_people(tenant, size)
    with organization_scope(tenant.organization.id):
        half = create_list(name="Half", actor=ACTOR, now=now())
        facts = {"organization": tenant.organization.id, "list": half.id}
        execute(_HALF, facts)
        execute(_TEXTED, facts | {"now": now()})
        ((middle,),) = fetch_all(
            "SELECT (min(id) + max(id)) / 2 FROM contacts_contact WHERE organization_id = %(organization)s", facts
        )
    note(f"{size} people made in {time.perf_counter() - started:.0f} s")
    client = Client()
    client.force_login(tenant.owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    return House(client, tenant.organization.id, middle, half.id, tenant.program.id)


def _p95(house: House, address: str) -> float:
    address = address.format(middle=house.middle, list=house.list_id)
    return _timed(address, lambda: house.client.get(address))


def _count(house: House, name: str, conditions: Sequence[Node]) -> float:
    """The page of a target group, which counts it; beside it what the count was, and how long the exact one takes."""
    filled = json.loads(
        json.dumps(to_json(Group(True, tuple(conditions))))
        .replace("{list}", str(house.list_id))
        .replace("{program}", str(house.program))
    )
    with organization_scope(house.organization):
        group = from_json(filled)
        saved = save_group(group, name=name, actor=ACTOR, now=now())
        told = count_people(group, now=now())
        started = time.perf_counter()
        exact = count_people(group, now=now(), within_ms=60_000)
        took = time.perf_counter() - started
    about = "" if told.exact else "about "
    note(f"{name}: told {about}{told.people}, counted {exact.people} in {took * 1000:.0f} ms")
    address = f"/contacts/groups/{saved.id}/"
    return _timed(address, lambda: house.client.get(address))


def _paged(house: House, name: str) -> float:
    """All pages of a group as a quote reads them, in microseconds for each contact of the organization."""
    look, after, people = Look(house.program, 0), 0, 0
    started = time.perf_counter()
    with organization_scope(house.organization):
        contacts = Contact.objects.count()
        audience = Audience(False, (), (target_groups().get(name=name).id,))
        while page := candidates(audience, look, after_id=after, limit=5_000, now=now()):
            after, people = page[-1].contact_id, people + len(page)
    took = time.perf_counter() - started
    note(f"{name}: {people} of {contacts} in {took:.1f} s")
    return took / contacts * 1e6


def _timed(what: str, ask: Callable[[], Any]) -> float:
    times = []
    for _ in range(ROUNDS + 3):
        started = time.perf_counter()
        response = ask()
        times.append((time.perf_counter() - started) * 1000)
        assert response.status_code == 200, what
    return quantiles(times[3:], n=20)[-1]


_HALF = """
INSERT INTO contacts_listmember (organization_id, contact_list_id, contact_id)
SELECT organization_id, %(list)s, id FROM contacts_contact WHERE organization_id = %(organization)s AND id %% 2 = 0
"""

# One in ten was texted, half of them long ago.
_TEXTED = """
INSERT INTO messaging_message (organization_id, stream_id, sender_number_id, carrier_account_id, campaign_id,
    contact_id, phone, body, encoding, segments, credits, digest, state, reason, captured, created_at, claimed_at,
    settled_at)
SELECT organization_id, 0, 0, 0, NULL, contact_id, phone, 'Hello', 'GSM-7', 1, 1, 0,
    CASE WHEN id %% 3 = 0 THEN 'UNDELIVERED' ELSE 'DELIVERED' END, '', true, %(now)s,
    %(now)s - make_interval(days => CASE WHEN id %% 20 = 0 THEN 60 ELSE 1 END),
    %(now)s - make_interval(days => CASE WHEN id %% 20 = 0 THEN 60 ELSE 1 END)
FROM contacts_contactphone WHERE organization_id = %(organization)s AND id %% 10 = 0
"""
