"""Target groups through their pages: built without any script, counted, used for a campaign, deleted."""

import re
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from audiences.actions import run_listing, save_group
from audiences.models import TargetGroup
from audiences.queries import Audience, group_page
from audiences.queries import groups as reads
from audiences.queries.groups import predicate_of_ids
from audiences.rules.conditions import Condition, Group, to_json
from campaigns.actions import DraftContent, DraftOrigin, quote_outreach, save_draft
from campaigns.models import Outreach, QuoteChunk
from contacts.actions import list_named
from contacts.models import ListMember
from content.models import Job
from tests.architecture.test_isolation import signed_in
from tests.world import ACTOR, World

NEW = "/contacts/groups/new/"


@pytest.fixture
def people(world: World) -> World:
    for number, (name, city) in enumerate((("Ada", "Miami"), ("Ben", "Miami"), ("Cyd", "Boston"))):
        world.add_contact(f"+1305555010{number}", first_name=name, city=city)
    return world


def form_of(page: str) -> dict[str, list[str]]:
    """What a browser without script would send of the builder."""
    found: dict[str, list[str]] = {}
    form = page.partition('id="group"')[2].partition("</form>")[0]
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = (re.search(rf'\b{key}="([^"]*)"', tag) for key in ("name", "value"))
        if name and ('type="checkbox"' not in tag or "checked" in tag):
            found.setdefault(name[1], []).append(value[1] if value else "on")
    for name, options in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', form, flags=re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        if chosen:
            found[name] = [chosen[1]]
    return found


def press(client: Client, page: str, do: str, **changes: Any) -> str:
    """Change fields of the form and press a button; the page that comes."""
    sent = form_of(page) | {name.replace("_", "-", 1): value for name, value in changes.items()} | {"do": do}
    answer = client.post(NEW, sent, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_group_is_built_step_by_step_without_script(people: World) -> None:
    client = signed_in(people)
    page = client.get(NEW).content.decode()
    assert "write a value" in page
    page = press(client, page, "", what_0="city")  # another question: its own comparisons
    page = press(client, page, "", value_0="miami")
    assert re.search(r"data-people>2</span>", page)
    page = press(client, page, "group:")
    assert 'id="part-1"' in page
    page = press(client, page, "add:1", **{"value_1.0": "Ada"})
    page = press(client, page, "", **{"value_1.1": "Ben"})
    assert re.search(r"data-people>2</span>", page)  # any of them, within all of them
    page = press(client, page, "remove:1.1")
    assert re.search(r"data-people>1</span>", page)
    page = press(client, page, "save")
    assert "Give the target group a name" in page
    page = press(client, page, "save", name="Ada of Miami")
    assert "“Ada of Miami” is kept" in page
    assert "City is “miami”" in page
    with people.scope():
        assert TargetGroup.objects.get().conditions == to_json(
            Group(
                True,
                (
                    Condition("city", "is", ("miami",)),
                    Group(False, (Condition("first_name", "is", ("Ada",)),)),
                ),
            )
        )


def test_nonsense_from_a_form_is_taken_calmly(people: World) -> None:
    client = signed_in(people)
    for sent in (
        {"node": ["0:c", "0:g", "9.9.9.9:c", "x:c", "0.0.0.0:g"], "what-0": "nothing", "do": "remove:7"},
        {"node": ["0:g", "0.0:g", "0.0.0:g", "0.0.0.0:g"], "do": "group:0.0.0"},
        {"node": [f"{n}:c" for n in range(300)], "do": "save", "name": "x"},
        {"do": "add:" + "0." * 500},
        {"node": ["0:c"], "what-0": "city", "how-0": "is", "value-0": ["\x00"], "do": "save", "name": "\x00"},
        {"do": "save", "name": "x"},
    ):
        assert client.post(NEW, sent).status_code == 200
    with people.scope():
        assert not TargetGroup.objects.exists()


def saved(world: World, now: datetime, *conditions: Condition, name: str = "Miami") -> TargetGroup:
    with world.scope():
        return save_group(Group(True, conditions), name=name, actor=ACTOR, now=now)


MIAMI = Condition("city", "is", ("Miami",))


def draft_for(world: World, now: datetime, *group_ids: int) -> Outreach:
    with world.scope():
        content = DraftContent(
            "News", world.program, world.number, "Hello {{ first_name }}", audience=Audience(False, (), group_ids)
        )
        campaign = save_draft(content, origin=DraftOrigin(uuid4(), 0), actor=ACTOR, now=now)
        return campaign.outreaches.get()


def recipients(world: World, outreach: Outreach) -> list[str]:
    with world.scope():
        return [phone for chunk in QuoteChunk.objects.filter(outreach=outreach) for phone in chunk.phones]


def test_a_campaign_to_a_group_reaches_whoever_fits_when_it_is_quoted(people: World, now: datetime) -> None:
    group = saved(people, now, MIAMI)
    outreach = draft_for(people, now, group.id)
    people.add_contact("+13055550107", first_name="Dee", city="miami")
    quote_outreach(organization_id=people.id, outreach_id=outreach.id, now=now)
    assert recipients(people, outreach) == ["+13055550100", "+13055550101", "+13055550107"]
    people.launch(people.fresh(outreach))
    assert [message.phone for message in people.messages()] == recipients(people, outreach)


def test_the_composer_offers_groups_and_counts_them(people: World, now: datetime) -> None:
    group, client = saved(people, now, MIAMI), signed_in(people)
    page = client.get(f"/campaigns/new/?group={group.id}").content.decode()
    assert re.search(rf'name="groups"[^>]*value="{group.id}"[^>]*checked', page)
    outreach = draft_for(people, now, group.id)
    page = client.get(f"/campaigns/{outreach.campaign_id}/edit/").content.decode()
    assert "<dt>In the audience</dt><dd>2</dd>" in page
    assert "Ada" in page


def test_a_group_that_a_draft_is_for_is_not_deleted(people: World, now: datetime) -> None:
    group, client = saved(people, now, MIAMI), signed_in(people)
    draft = draft_for(people, now, group.id)
    page = client.post(f"/contacts/groups/{group.id}/delete/", follow=True).content.decode()
    assert "“News”. Change them first" in page
    with people.scope():
        Outreach.objects.filter(id=draft.id).update(group_ids=[])
    page = client.post(f"/contacts/groups/{group.id}/delete/", follow=True).content.decode()
    assert "“Miami” is deleted" in page


def test_a_group_that_is_gone_holds_the_campaign_and_says_so(people: World, now: datetime) -> None:
    client, draft = signed_in(people), draft_for(people, now, 999_999)
    page = client.get(f"/campaigns/{draft.campaign_id}/edit/").content.decode()
    assert "not there any more" in page
    with people.scope():
        data = {"form_id": draft.campaign.form_id, "revision": 1, "whom": "lists", "name": "News", "then": "review"}
        data |= {"body": "Hello", "program": people.program.id, "number": people.number.id, "overwrite": "1"}
    page = client.post(f"/campaigns/{draft.campaign_id}/edit/", data).content.decode()
    assert "Choose at least one list or target group" in page


def put(world: World, **data: Any) -> tuple[str, int]:
    """Put all whom a page shows on a list; what the page says in the end, and how many are on it."""
    client = signed_in(world)
    answer = client.post("/contacts/all/", {"q": ""} | data)
    assert answer.status_code == 302
    with world.scope():
        job = Job.objects.order_by("-id")[0]
    for _ in range(2):  # revived, it goes on or finds itself done
        run_listing(organization_id=world.id, job_id=job.id, list_id=job.arguments[2], chosen=job.arguments[3])
    with world.scope():
        members = ListMember.objects.filter(contact_list_id=job.arguments[2]).count()
    return client.get(answer["Location"]).content.decode(), members


def test_all_of_a_group_a_search_or_a_list_are_put_on_a_list(
    people: World, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audiences.actions.bulk.BATCH", 2)
    group = saved(people, now, MIAMI)
    people.fill_search()
    page, members = put(people, of_group=group.id, new_list="Miami people")
    assert "2 more on “Miami people”" in page
    assert members == 2
    with people.scope():
        made = list_named("Miami people", now=now)
    page, members = put(people, of_group=group.id, list=made.id)
    assert "0 more" in page
    assert put(people, q="cyd", new_list="Found")[1] == 1
    assert put(people, of_list=made.id, new_list="Copy")[1] == 2
    assert put(people, new_list="Everybody")[1] == 3
    page = signed_in(people).post("/contacts/all/", {"new_list": " "}, follow=True).content.decode()
    assert "Give the list a name" in page


def test_a_group_shows_who_is_in_it_page_by_page(people: World, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """However rare they are: a page looks through so many and says where to go on."""
    group = saved(people, now, Condition("first_name", "is", ("Cyd",)))
    client = signed_in(people)
    assert "Cyd</a>" in client.get(f"/contacts/groups/{group.id}/").content.decode()
    monkeypatch.setattr("audiences.queries.members.WINDOW", 1)
    monkeypatch.setattr("audiences.queries.members.PATIENCE", 0.0)
    with people.scope():
        pages, after, fitting = list[list[str]](), 0, predicate_of_ids([group.id], now=now)
        while True:
            page = group_page(fitting, after_id=after)
            pages.append([row.contact.first_name for row in page.rows])
            if page.next_after is None:
                break
            assert page.next_after > after
            after = page.next_after
    assert [name for names in pages for name in names] == ["Cyd"]
    monkeypatch.setattr("audiences.queries.members.PATIENCE", 5.0)
    with people.scope():
        assert [row.contact.first_name for row in group_page(fitting, after_id=0).rows] == ["Cyd"]
    monkeypatch.setattr("audiences.queries.members.PAGE", 1)
    miami = saved(people, now, MIAMI, name="Two")
    with people.scope():
        fitting = predicate_of_ids([miami.id], now=now)
        first = group_page(fitting, after_id=0)
        assert first.next_after is not None
        second = group_page(fitting, after_id=first.next_after)
        assert [len(first.rows), len(second.rows), second.next_after] == [1, 1, None]


def test_the_exact_count_of_a_large_group_follows(
    people: World, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    group, client = saved(people, now, MIAMI), signed_in(people)
    people.fill_search()
    with monkeypatch.context() as slow:  # longer than a page waits, and no sample of thousands
        slow.setattr("audiences.queries.groups._COUNT", f"{reads._COUNT.rstrip()}, pg_sleep(5)")
        slow.setattr("audiences.queries.groups.WHILE_FILLING_MS", 0)
        slow.setattr("audiences.queries.groups.SAMPLED", 2)
        page = client.get(f"/contacts/groups/{group.id}/").content.decode()
    assert "The exact count is on its way" in page
    assert f'hx-get="/contacts/groups/{group.id}/count/"' in page
    page = client.get(f"/contacts/groups/{group.id}/count/").content.decode()
    assert re.search(r"data-people>2</span>", page)
    assert "hx-get" not in page
