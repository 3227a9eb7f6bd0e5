"""Server time of finding and paging people with 10,000 and with 1,000,000 contacts."""

import time
from dataclasses import dataclass
from statistics import quantiles

from django.conf import settings
from django.test import Client

from bench.report import line, note
from bench.tenant import ACTOR, add_people, analyze, make_tenant
from common.clock import now
from common.sql import fetch_all
from common.sql import run as execute
from common.tenancy import organization_scope
from contacts.actions import create_list

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


@dataclass(frozen=True, slots=True)
class House:
    client: Client
    middle: int
    list_id: int


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
    line("contacts", "slowest", worst, "ms at p95", reference=LIMIT_MS, reference_is="limit", n=ROUNDS)


def _house(size: int) -> House:
    tenant = make_tenant(credits=1)
    started = time.perf_counter()
    add_people(tenant, size)
    with organization_scope(tenant.organization.id):
        half = create_list(name="Half", actor=ACTOR, now=now())
        facts = {"organization": tenant.organization.id, "list": half.id}
        execute(_HALF, facts)
        ((middle,),) = fetch_all(
            "SELECT (min(id) + max(id)) / 2 FROM contacts_contact WHERE organization_id = %(organization)s", facts
        )
    note(f"{size} people made in {time.perf_counter() - started:.0f} s")
    client = Client()
    client.force_login(tenant.owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    return House(client, middle, half.id)


def _p95(house: House, address: str) -> float:
    address = address.format(middle=house.middle, list=house.list_id)
    times = []
    for _ in range(ROUNDS + 3):
        started = time.perf_counter()
        response = house.client.get(address)
        times.append((time.perf_counter() - started) * 1000)
        assert response.status_code == 200, address
    return quantiles(times[3:], n=20)[-1]


_HALF = """
INSERT INTO contacts_listmember (organization_id, contact_list_id, contact_id)
SELECT organization_id, %(list)s, id FROM contacts_contact WHERE organization_id = %(organization)s AND id %% 2 = 0
"""
