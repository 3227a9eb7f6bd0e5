"""Target groups: who fits which conditions, what is refused, and that nothing typed becomes part of a statement."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db.models import Max
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audiences.actions import delete_group, save_group
from audiences.models import TargetGroup
from audiences.queries import (
    Audience,
    Look,
    audience_size,
    candidates,
    count_people,
    predicate_of,
    questions,
    target_groups,
)
from audiences.queries import groups as reads
from audiences.rules.conditions import (
    Condition,
    Group,
    GroupRefused,
    Node,
    check_loops,
    conditions_in,
    from_json,
    to_json,
)
from audiences.rules.questions import HOWS, Takes
from common.sql import fetch_all, run
from consent.actions import opt_out_by_staff
from contacts.actions import add_to_list, list_named
from contacts.models import Contact, CustomField, Import
from messaging.models import InboundText, Link, Message, ShortLink
from tests.contacts.test_import import imported
from tests.world import ACTOR, World, build_world

ADA, BEN, CYD, DEE = "+13055550101", "+12125550102", "+14155550103", "+18085550104"


@pytest.fixture
def people(world: World, now: datetime) -> World:
    """Ada of Miami (texted, delivered, answered, followed a link), Ben (texted long ago), Cyd (STOP), Dee (nothing)."""
    with world.scope():
        for key, kind in (
            ("visits", "NUMBER"),
            ("born", "DATE"),
            ("vip", "YES_NO"),
            ("size", "CHOICE"),
            ("o'k", "TEXT"),
        ):
            CustomField.objects.create(
                organization=world.organization, key=key, name=key, kind=kind, choices=["S", "M"], created_at=now
            )
    ada = world.add_contact(ADA, first_name="Ada", last_name="Ünal", city="Miami", region="FL", company="50%_Off")
    ben = world.add_contact(BEN, first_name="Ben", city="New York", time_zone="America/New_York", country="US")
    world.add_contact(CYD, first_name="Cyd", email="cyd@example.org", language="es")
    world.add_contact(DEE, consent=False, first_name="Dee", time_zone="America/Denver")
    outreach = world.launch(world.campaign())
    with world.scope():
        Contact.objects.filter(id=ada.id).update(
            custom={"visits": 12, "born": "1990-11-30", "vip": "yes", "size": "M", "o'k": "it's"},
            created_at=now - timedelta(days=100),
        )
        Contact.objects.filter(id=ben.id).update(custom={"visits": "many", "born": "unknown", "vip": "no", "size": "S"})
        add_to_list(list_named("Regulars", now=now), [ada.id, ben.id], actor=ACTOR, now=now)
        add_to_list(list_named("Others", now=now), [ben.id], actor=ACTOR, now=now)
        opt_out_by_staff(CYD, actor=ACTOR, now=now)
        texts = Message.objects.filter(campaign_id=outreach.campaign_id)
        texts.filter(phone__in=[ADA, BEN]).update(captured=True, state="DELIVERED", claimed_at=now, settled_at=now)
        texts.filter(phone=BEN).update(
            state="UNDELIVERED", claimed_at=now - timedelta(days=40), settled_at=now - timedelta(days=40)
        )
        InboundText.objects.create(
            organization=world.organization,
            sender_number_id=world.number.id,
            carrier_account_id=world.number.carrier_account_id,
            sid="SM1",
            phone=ADA,
            body="Yes please",
            received_at=now + timedelta(hours=1),
        )
        link = Link.objects.create(
            organization=world.organization,
            campaign_id=outreach.campaign_id,
            place=0,
            url="https://example.org",
            expires_at=now,
        )
        for phone, clicked in ((ADA, now), (BEN, None)):
            ShortLink.objects.create(
                organization=world.organization,
                link=link,
                code=phone[-8:],
                contact_id=1,
                phone=phone,
                clicked_at=clicked,
            )
    return world


def fitting(world: World, conditions: Group, now: datetime) -> list[str]:
    """First names of those who fit, by the statement for counts and by the one for pages, which must agree."""
    with world.scope():
        asked = predicate_of(conditions, now=now)
        answers = [
            fetch_all(
                f"SELECT c.first_name FROM contacts_contact c WHERE c.organization_id = %(own)s AND {sql} ORDER BY 1",
                {**asked.parameters, "own": world.id},
            )
            for sql in (asked.sql, asked.probing)
        ]
    assert answers[0] == answers[1]
    return [name for (name,) in answers[0]]


def ids_of(world: World) -> dict[str, str]:
    """What a row of the table names in capitals."""
    with world.scope():
        return {
            "CAMPAIGN": str(Message.objects.aggregate(Max("campaign_id"))["campaign_id__max"]),
            "REGULARS": str(list_named("Regulars", now=world.now).id),
            "OTHERS": str(list_named("Others", now=world.now).id),
            "PROGRAM": str(world.program.id),
        }


WHO_FITS: dict[str, list[tuple[str, list[str], str]]] = {
    "first_name": [
        ("is", ["ada"], "Ada"),
        ("is_not", ["ADA"], "Ben Cyd Dee"),
    ],
    "last_name": [
        ("is", ["ünal"], "Ada"),
    ],
    "company": [
        ("contains", ["%_o"], "Ada"),
        ("contains", ["%"], "Ada"),
        ("contains", ["5_"], ""),
        ("lacks", ["off"], "Ben Cyd Dee"),
    ],
    "city": [
        ("begins", ["new"], "Ben"),
        ("one_of", ["miami, New York ,"], "Ada Ben"),
        ("empty", [], "Cyd Dee"),
        ("filled", [], "Ada Ben"),
    ],
    "email": [
        ("contains", ["@example.org"], "Cyd"),
    ],
    "language": [
        ("any_of", ["es", "de"], "Cyd"),
        ("none_of", ["es"], "Ada Ben Dee"),
    ],
    "country": [
        ("any_of", ["US"], "Ben"),
    ],
    "region": [
        ("is", ["fl"], "Ada"),
    ],
    "time_zone": [
        ("begins", ["America/"], "Ben Dee"),
    ],
    "area": [
        ("any_of", ["305 808"], "Ada Dee"),
        ("none_of", ["305"], "Ben Cyd Dee"),
    ],
    "state": [
        ("any_of", ["FL", "HI"], "Ada Dee"),
        ("none_of", ["CA"], "Ada Ben Dee"),
    ],
    "zone": [
        ("any_of", ["America/New_York"], "Ada Ben"),
        ("any_of", ["Pacific/Honolulu"], ""),  # Dee's own zone goes before her phone's
        ("any_of", ["America/Denver"], "Dee"),
        ("none_of", ["America/New_York"], "Cyd Dee"),
    ],
    "known_since": [
        ("older", ["50"], "Ada"),
        ("past", ["50"], "Ben Cyd Dee"),
        ("before", ["2026-11-24"], "Ada"),
        ("after", ["2026-11-23"], "Ben Cyd Dee"),
        ("after", ["2026-11-24"], ""),
    ],
    "custom.visits": [
        ("equals", ["12.0"], "Ada"),
        ("at_least", ["1,2"], "Ada"),
        ("at_most", ["11"], ""),
        ("between", ["0", "100"], "Ada"),
        ("filled", [], "Ada Ben"),
        ("empty", [], "Cyd Dee"),
    ],
    "custom.born": [
        ("on", ["1990-11-30"], "Ada"),
        ("before", ["1991-01-01"], "Ada"),
        ("after", ["1991-01-01"], ""),
        ("past", ["36500"], "Ada"),
        ("ahead", ["10"], ""),
        ("yearly", ["7"], "Ada"),
        ("yearly", ["5"], ""),
    ],
    "custom.vip": [
        ("yes", [], "Ada"),
        ("no", [], "Ben"),
        ("empty", [], "Cyd Dee"),
    ],
    "custom.size": [
        ("any_of", ["S", "M"], "Ada Ben"),
        ("none_of", ["M"], "Ben Cyd Dee"),
    ],
    "custom.o'k": [
        ("is", ["it's"], "Ada"),
    ],
    "list": [
        ("any_of", ["REGULARS", "OTHERS"], "Ada Ben"),
        ("any_of", ["OTHERS"], "Ben"),
        ("none_of", ["OTHERS"], "Ada Cyd Dee"),
    ],
    "program": [
        ("any_of", ["PROGRAM"], "Ada Ben"),  # STOP withdraws
        ("none_of", ["PROGRAM"], "Cyd Dee"),
    ],
    "stopped": [
        ("yes", [], "Cyd"),
        ("no", [], "Ada Ben Dee"),
    ],
    "texted": [
        ("past", ["30"], "Ada"),
        ("not_past", ["30"], "Ben Cyd Dee"),
        ("ever", [], "Ada Ben"),
        ("never", [], "Cyd Dee"),
        ("any_of", ["CAMPAIGN"], "Ada Ben"),
        ("none_of", ["CAMPAIGN"], "Cyd Dee"),
        ("any_of", ["1"], ""),
    ],
    "delivered": [
        ("ever", [], "Ada"),
        ("none_of", ["CAMPAIGN"], "Ben Cyd Dee"),
    ],
    "replied": [
        ("ever", [], "Ada"),
        ("any_of", ["CAMPAIGN"], "Ada"),
        ("none_of", ["CAMPAIGN"], "Ben Cyd Dee"),
    ],
    "clicked": [
        ("past", ["1"], "Ada"),
        ("never", [], "Ben Cyd Dee"),
        ("any_of", ["CAMPAIGN"], "Ada"),
    ],
}


@pytest.mark.parametrize("what", WHO_FITS)
def test_who_fits(people: World, now: datetime, what: str) -> None:
    named = ids_of(people)
    for how, values, found in WHO_FITS[what]:
        condition = Condition(what, how, tuple(named.get(value, value) for value in values))
        assert fitting(people, Group(True, (condition,)), now) == found.split(), (how, values)


def test_groups_of_conditions(people: World, now: datetime) -> None:
    miami, york = Condition("city", "is", ("Miami",)), Condition("city", "is", ("New York",))
    stopped = Condition("stopped", "yes")
    assert fitting(people, Group(True, (miami, york)), now) == []
    assert fitting(people, Group(False, (miami, york)), now) == ["Ada", "Ben"]
    inner = Group(True, (york, Condition("texted", "ever")))
    assert fitting(people, Group(False, (stopped, inner)), now) == ["Ben", "Cyd"]
    assert fitting(people, Group(True, (Condition("first_name", "filled"), Group(False, (miami, stopped)))), now) == [
        "Ada",
        "Cyd",
    ]


def test_who_came_with_an_import(people: World, now: datetime) -> None:
    imported(people, "First Name,Phone\nEva,305-555-0199\nAda,305-555-0101\n", now)
    with people.scope():
        newest = Import.objects.order_by("-id").values_list("id", flat=True)[0]
    assert fitting(people, Group(True, (Condition("import", "any_of", (str(newest),)),)), now) == ["Ada", "Eva"]


def test_another_tenants_people_and_messages_count_for_nothing(people: World, now: datetime) -> None:
    other = build_world(now)
    other.add_contact(ADA, first_name="Their Ada", city="Miami")
    assert fitting(other, Group(True, (Condition("texted", "ever"),)), now) == []
    assert fitting(other, Group(True, (Condition("city", "is", ("miami",)),)), now) == ["Their Ada"]
    with people.scope():
        regulars = list_named("Regulars", now=now)
    with pytest.raises(GroupRefused, match="not there any more"):
        fitting(other, Group(True, (Condition("list", "any_of", (str(regulars.id),)),)), now)


REFUSED: list[tuple[str, str, list[str], str]] = [
    ("nothing", "is", ["x"], "not there any more"),
    ("custom.gone", "is", ["x"], "not there any more"),
    ("city", "is", [], "City: write a value"),
    ("city", "is", ["  "], "City: write a value"),
    ("city", "drop", ["x"], "choose how"),
    ("city", "one_of", [" , "], "parted by commas"),
    ("list", "any_of", [], "choose at least one"),
    ("list", "any_of", ["999999999"], "not there any more"),
    ("import", "any_of", ["1 OR 1=1"], "not there any more"),
    ("texted", "past", ["0"], "number of days"),
    ("texted", "past", ["1e9"], "number of days"),
    ("texted", "past", ["36501"], "number of days"),
    ("area", "any_of", ["30"], "three digits"),
    ("known_since", "before", ["yesterday"], "a day such as"),
    ("custom.visits", "equals", ["nan"], "a number such as"),
    ("custom.visits", "between", ["1"], "two numbers"),
    ("custom.visits", "between", ["9", "1"], "larger than the second"),
]


def test_what_cannot_be_evaluated_is_refused_with_what_to_write(people: World, now: datetime) -> None:
    for what, how, values, words in REFUSED:
        with pytest.raises(GroupRefused, match=words):
            fitting(people, Group(True, (Condition(what, how, tuple(values)),)), now)


def test_an_empty_group_fits_nobody(people: World, now: datetime) -> None:
    for empty in (Group(), Group(False), Group(True, (Condition("city", "filled"), Group()))):
        with pytest.raises(GroupRefused, match="without a condition"):
            fitting(people, empty, now)


@pytest.mark.parametrize(
    "kept",
    [
        None,
        [],
        "x",
        {"every": 1, "of": []},
        {"every": True, "of": "x"},
        {"every": True, "of": [1]},
        {"every": True, "of": [{"what": 1, "how": "is"}]},
        {"every": True, "of": [{"what": "city", "how": "is", "values": [1]}]},
        {"every": True, "of": [{"what": "city", "how": "is", "values": "x"}]},
        {"every": True, "of": [{"what": "city", "how": "filled"}] * 51},
        {"every": True, "of": [{"every": True, "of": [{"every": True, "of": [{"every": True, "of": []}]}]}]},
    ],
)
def test_what_is_no_tree_is_refused(kept: Any) -> None:
    with pytest.raises(GroupRefused):
        from_json(kept)


MALICE = ["'", "%", "%s", "%(organization)s", "{}", "\\", "')) OR 1=1 --", "12", "2026-05-04"]
ASKED = ["first_name", "custom.o'k", "custom.visits", "custom.born", "custom.vip", "area", "stopped", "texted"]


def trees() -> st.SearchStrategy[Group]:
    """Conditions that are asked rightly, with values of every kind of malice."""
    value = st.text(max_size=12) | st.sampled_from(MALICE)
    how = st.sampled_from(sorted({how for hows in HOWS.values() for how in hows}))
    condition: st.SearchStrategy[Node] = st.builds(
        Condition, st.sampled_from(ASKED), how, st.lists(value, max_size=2).map(tuple)
    )
    group = st.builds(Group, st.booleans(), st.lists(condition, min_size=1, max_size=3).map(tuple))
    return st.builds(Group, st.booleans(), st.lists(condition | group, min_size=1, max_size=3).map(tuple))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=trees())
def test_whatever_is_typed_is_a_value(people: World, now: datetime, tree: Group) -> None:
    """Each tree is refused in words or finds some of the four people; it is kept and read as it was."""
    kept = from_json(to_json(tree))
    assert [one.what for one in conditions_in(kept)] == [one.what for one in conditions_in(tree)]
    try:
        found = fitting(people, kept, now)
    except GroupRefused:
        return
    assert set(found) <= {"Ada", "Ben", "Cyd", "Dee"}


# Groups that ask for groups -----------------------------------------------------------------------------------------


def saved(world: World, name: str, *conditions: Node, now: datetime, group_id: int | None = None) -> TargetGroup:
    with world.scope():
        return save_group(Group(True, conditions), name=name, actor=ACTOR, now=now, group_id=group_id)


def asking_for(*groups: TargetGroup, how: str = "any_of") -> Condition:
    return Condition("group", how, tuple(str(group.id) for group in groups))


def test_a_group_may_ask_for_others_but_never_for_itself(people: World, now: datetime) -> None:
    miami = saved(people, "Miami", Condition("city", "is", ("Miami",)), now=now)
    quiet = saved(people, "Others", asking_for(miami, how="none_of"), Condition("stopped", "no"), now=now)
    assert fitting(people, Group(True, (asking_for(quiet),)), now) == ["Ben", "Dee"]
    assert fitting(people, Group(True, (asking_for(miami, quiet),)), now) == ["Ada", "Ben", "Dee"]
    for loop in (asking_for(miami), asking_for(quiet)):
        with pytest.raises(GroupRefused, match="cannot ask for itself"):
            saved(people, "Miami", loop, now=now, group_id=miami.id)
    with people.scope():  # what was written past the action is refused when it is used
        TargetGroup.objects.filter(id=miami.id).update(conditions=to_json(Group(True, (asking_for(quiet),))))
        with pytest.raises(GroupRefused, match="cannot ask for itself"):
            audience_size(Audience(False, (), (miami.id,)), now=now)


def test_groups_that_multiply_are_refused(people: World, now: datetime) -> None:
    last = saved(people, "0", *[Condition("city", "is", (str(n),)) for n in range(40)], now=now)
    for level in range(1, 3):
        last = saved(people, str(level), *[asking_for(last)] * 3, now=now)
    with pytest.raises(GroupRefused, match="Make it simpler"):
        saved(people, "3", *[asking_for(last)] * 3, now=now)


def test_loops_are_found_however_long() -> None:
    chain = {n: Group(True, (Condition("group", "any_of", (str(n + 1),)),)) for n in range(1, 500)}
    check_loops(1, chain[1], {n: chain[n] for n in chain if n != 1})
    with pytest.raises(GroupRefused):
        check_loops(500, Group(True, (Condition("group", "any_of", ("1",)),)), chain)


def test_a_name_is_asked_for_once(people: World, now: datetime) -> None:
    made = saved(people, "  Miami   people ", Condition("city", "is", ("Miami",)), now=now)
    assert made.name == "Miami people"
    with pytest.raises(GroupRefused, match="already"):
        saved(people, "Miami people", Condition("city", "filled"), now=now)
    with pytest.raises(GroupRefused, match="Give the target group a name"):
        saved(people, " ", Condition("city", "filled"), now=now)
    assert saved(people, "Miami people", Condition("city", "filled"), now=now, group_id=made.id).id == made.id


def test_a_group_that_others_ask_for_stays(people: World, now: datetime) -> None:
    miami = saved(people, "Miami", Condition("city", "is", ("Miami",)), now=now)
    other = saved(people, "Not Miami", asking_for(miami, how="none_of"), now=now)
    with people.scope():
        with pytest.raises(GroupRefused, match="Not Miami"):
            delete_group(miami.id, actor=ACTOR, now=now)
        delete_group(other.id, actor=ACTOR, now=now)
        delete_group(miami.id, actor=ACTOR, now=now)
        assert not target_groups().exists()


# Counting, and being an audience ------------------------------------------------------------------------------------


def test_a_count_is_exact_and_names_some(people: World, now: datetime) -> None:
    with people.scope():
        counted = count_people(Group(True, (Condition("city", "filled"),)), now=now)
        named = Contact.objects.filter(id__in=counted.examples).values_list("first_name", flat=True)
        assert (counted.people, counted.exact, sorted(named)) == (2, True, ["Ada", "Ben"])
        assert fetch_all("SHOW statement_timeout") == [("0",)]


def many(world: World, people: int) -> None:
    """People of whom every fourth is of Miami."""
    with world.scope():
        facts = {"organization": world.id, "now": world.now, "people": people}
        run(
            """INSERT INTO contacts_contact (organization_id, first_name, last_name, email, company, language, city,
                region, postcode, country, time_zone, custom, created_at, updated_at)
            SELECT %(organization)s, 'N' || n, '', '', '', '', CASE WHEN n %% 4 = 0 THEN 'Miami' ELSE '' END, '', '',
                '', '', '{}', %(now)s, %(now)s FROM generate_series(1, %(people)s) n""",
            facts,
        )
        run(
            "INSERT INTO contacts_unindexed (organization_id, contact_ids) SELECT organization_id, array_agg(id)"
            " FROM contacts_contact WHERE organization_id = %(organization)s GROUP BY 1",
            facts,
        )
    world.fill_search()


def test_what_takes_too_long_is_told_by_a_sample(world: World, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    many(world, 8_000)
    miami = Group(True, (Condition("city", "is", ("Miami",)),))
    with world.scope():
        assert count_people(miami, now=now).people == 2_000
        # A statement that surely takes longer than the limit, and is the same for the sample.
        slowly = reads._COUNT.replace("WITH fits", "WITH slow AS MATERIALIZED (SELECT pg_sleep(5)), fits")
        slowly = slowly.replace("AND {predicate}", "AND {predicate} AND EXISTS (SELECT 1 FROM slow)")
        monkeypatch.setattr(reads, "_COUNT", slowly)
        about = count_people(miami, now=now)
        assert not about.exact
        assert 1_750 <= about.people <= 2_250
        assert len(about.examples) == 20
        assert count_people(miami, now=now) == about  # asked again it is the same
        nobody = count_people(Group(True, (Condition("city", "is", ("Paris",)),)), now=now)
        assert (nobody.people, nobody.exact, nobody.examples) == (0, False, ())


def pages(world: World, audience: Audience, now: datetime, size: int) -> list[int]:
    look, found = Look(world.program.id, 0), list[int]()
    with world.scope():
        while page := candidates(audience, look, after_id=found[-1] if found else 0, limit=size, now=now):
            found += [one.contact_id for one in page]
    return found


def test_groups_and_lists_are_an_audience_page_by_page(people: World, now: datetime) -> None:
    stopped = saved(people, "Stopped", Condition("stopped", "yes"), now=now)
    miami = saved(people, "Miami", Condition("city", "is", ("Miami",)), now=now)
    with people.scope():
        others = list_named("Others", now=now)
        names = dict(Contact.objects.values_list("id", "first_name"))
    for audience, expected in (
        (Audience(False, (), (stopped.id,)), "Cyd"),
        (Audience(False, (), (stopped.id, miami.id)), "Ada Cyd"),
        (Audience(False, (others.id,), (miami.id, stopped.id)), "Ada Ben Cyd"),
        (Audience(True, (), (miami.id,)), "Ada Ben Cyd Dee"),
    ):
        for size in (1, 2, 100):
            found = pages(people, audience, now, size)
            assert found == sorted(found)
            assert [names[one] for one in found] == expected.split()
        with people.scope():
            assert audience_size(audience, now=now).people == len(expected.split())


def plan_of(world: World, conditions: Sequence[Node], now: datetime) -> str:
    with world.scope():
        asked = predicate_of(Group(True, tuple(conditions)), now=now)
        people = "FROM contacts_contact c WHERE c.organization_id = %(own)s AND c.id > 0"
        statement = f"EXPLAIN SELECT c.id {people} AND {asked.probing} ORDER BY c.id LIMIT 5000"
        return "\n".join(line for (line,) in fetch_all(statement, {**asked.parameters, "own": world.id}))


HAPPENED = ("texted", "delivered", "replied", "clicked")


def test_a_page_looks_up_each_person_by_index(people: World, now: datetime) -> None:
    """No table is read as a whole for a page, whatever is asked: many pages would cost the square of the audience."""
    named = ids_of(people)
    asked = [
        Condition("list", "any_of", (named["REGULARS"],)),
        Condition("program", "any_of", (named["PROGRAM"],)),
        Condition("import", "none_of", ("1",)),
        Condition("stopped", "no"),
        Condition("area", "any_of", ("305",)),
        *(Condition(what, "past", ("7",)) for what in HAPPENED),
        *(Condition(what, "never") for what in HAPPENED),
        *(Condition(what, "any_of", (named["CAMPAIGN"],)) for what in HAPPENED),
    ]
    with people.scope():
        run("SET LOCAL enable_seqscan = off")  # the tables of a test are small: what matters is that it can
        plan = plan_of(people, asked, now)
    assert "Seq Scan" not in plan
    assert "Hash" not in plan


def test_every_question_can_be_asked_in_every_way(people: World, now: datetime) -> None:
    """Each comparison that the builder offers makes a statement that runs."""
    values = {
        Takes.WORDS: ("x",),
        Takes.NUMBER: ("1",),
        Takes.TWO_NUMBERS: ("1", "2"),
        Takes.DAY: ("2026-05-04",),
        Takes.DAYS: ("7",),
    }
    group = saved(people, "Miami", Condition("city", "is", ("Miami",)), now=now)
    with people.scope():
        asked = questions(campaigns=[("1", "News")], imports=[("1", "file.csv")])
    for question in asked.values():
        for how, comparison in HOWS[question.kind].items():
            given = values.get(comparison.takes, ())
            if comparison.takes is Takes.OPTIONS:
                given = (question.options or (("", ""),))[0][:1]
            if question.kind == "area":
                given = ("305",)
            fitting(people, Group(True, (Condition(question.key, how, given),)), now)
    assert group
