"""Finding people: what is found by what, and by which index."""

from datetime import datetime

import pytest
from django.db import connections

from common.sql import run
from contacts.actions import delete_contacts
from contacts.models import Contact, ContactSearch
from contacts.queries import contact_page
from contacts.queries.search import found_ids
from tests.contacts.test_import import imported
from tests.world import World, build_world

PEOPLE = """First Name,Last Name,Company,E-Mail,Phone
José,Ångström,Bäckerei 50%_Straße,jose@example.org,256-734-6043
Ann,Lee,Lee & Sons,ann@example.org,205-221-2310
Joanna,O'Hara,,joanna@example.org,775-686-5760
"""


@pytest.fixture
def people(world: World, now: datetime) -> World:
    imported(world, PEOPLE, now)
    world.fill_search()
    return world


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("jose", ["José"]),
        ("JOSÉ angs", ["José"]),
        ("backerei", ["José"]),
        ("strasse", ["José"]),
        ("50%", ["José"]),
        ("%_s", ["José"]),
        ("%", []),
        ("_", []),
        ("ann", ["Ann", "Joanna"]),
        ("an", ["Ann", "José"]),  # two letters: words that begin with them
        ("j", ["Joanna", "José"]),
        ("lee sons", ["Ann"]),
        ("o'hara", ["Joanna"]),
        ("example.org", ["Ann", "Joanna", "José"]),
        ("734", ["José"]),
        ("(256) 734-60", ["José"]),
        ("+1 205 221 2310", ["Ann"]),
        ("ann 2310", ["Ann"]),
        ("12", []),
        ("ann jose", []),
        ("\\", []),
        ("\x00", ["Ann", "Joanna", "José"]),
        ("x" * 5000, []),
    ],
)
def test_what_is_typed_finds(people: World, search: str, found: list[str]) -> None:
    with people.scope():
        assert sorted(row.contact.first_name for row in contact_page(search=search).rows) == found


def test_nobody_of_another_tenant_is_found(people: World, now: datetime) -> None:
    other = build_world(now)
    with other.scope():
        assert found_ids(["%jose%"], after_id=0, limit=10) == []


def test_who_changes_is_found_by_the_new_words_and_who_is_gone_by_none(people: World, now: datetime) -> None:
    imported(people, "First Name,Phone\nGiuseppe,256-734-6043\n", now)
    people.fill_search()
    with people.scope():
        assert contact_page(search="jose@").rows
        (row,) = contact_page(search="giuseppe").rows
        delete_contacts([row.contact.id])
        assert not contact_page(search="giuseppe").rows
        assert Contact.objects.count() == ContactSearch.objects.count() == 2


def test_few_are_looked_up_by_trigrams_and_many_are_read_in_order(committed_world: World) -> None:
    world = committed_world
    with world.scope():
        run(
            "INSERT INTO contacts_contactsearch (contact_id, organization_id, words) SELECT 1000000 + n, %s,"
            " ' first' || n || ' name' || n || ' company ' || n %% 977 || ' p' || n || '@example.org +1205' || n"
            " FROM generate_series(1, 20000) n",
            [world.id],
        )
    with connections["owner"].cursor() as cursor:  # as the function does, which the owner runs
        cursor.execute("ANALYZE contacts_contactsearch")
        plans = {}
        for word in ("name19999", "example"):
            cursor.execute(
                "EXPLAIN SELECT s.contact_id FROM contacts_contactsearch s WHERE s.organization_id = %s"
                " AND s.contact_id > 0 AND s.words LIKE %s ORDER BY s.contact_id LIMIT 51",
                [world.id, f"%{word}%"],
            )
            plans[word] = str(cursor.fetchall())
    assert "search_words" in plans["name19999"]
    assert "Index Scan" in plans["example"], "in the order of the ids, which ends at the page's last"
    assert "search_words" not in plans["example"]
    with world.scope():
        assert found_ids(["%name19999%"], after_id=0, limit=5) == [1019999]
        assert found_ids(["%example%"], after_id=1000100, limit=2) == [1000101, 1000102]
