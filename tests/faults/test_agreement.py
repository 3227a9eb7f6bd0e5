"""One truth: what the composer shows, the quote freezes, the ledger charges and the carrier bills."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import User
from audiences.models import Exclusion
from campaigns.actions import preview, quote_outreach
from campaigns.models import Campaign, Outreach, QuoteChunk
from common.clock import now
from common.sql import fetch_all, run
from common.tenancy import organization_scope
from config.demo.seed import seed_tenant
from config.stack import Stack
from consent.actions import opt_out_by_staff
from contacts.models import Contact
from content.actions import store_picture
from messaging.models import Message
from messaging.rules.states import OPEN, State
from tests.content.test_pictures import drawn
from tests.faults.conftest import Sender
from tests.world import ACTOR, World

pytestmark = pytest.mark.fault

PEOPLE = 10_000
CHANGED = 100
BODY = (
    "Hi {{ first_name|there }} {{ last_name }} – “{{ company|your shop }}” has news in {{ city|town }} 50% off, see"
    " {{ link|https://example.org/spring?from=text&to=you }}"
)
# Ten scripts, marks that compose and marks that do not, families and flags, what a plain alphabet has and has not.
NAMES = (
    *("Ada", "Zoë", "José", "Łukasz", "Nguyễn Thị Hương", "O’Brien", "D'Arcy", "Bjo\u0308rn", "Çağrı"),
    *("Дмитрий", "Ελένη", "محمد", "שרה", "प्रिया", "আয়েশা", "王小明", "山田たろう", "김민준", "สมชาย", "Անի"),
    *("👩‍👩‍👧‍👦", "Kim 🇺🇦", "👍🏽", "g\u0303", "{Max}", "[x]~€^|", "a\\b", "tab\tname", "“Quoted”", "½ …"),
)


def add_people(world: World) -> list[str]:
    """10,000 people with names of all kinds and tags of all lengths; some without what the text needs."""
    dice = random.Random(20261122)

    def words(longest: int) -> str:
        return " ".join(dice.choices(NAMES, k=25))[: dice.randint(0, longest)].strip()

    phones = [f"+1205{2_000_000 + index:07}" for index in range(PEOPLE)]
    rows: dict[str, Any] = {
        "organization": world.id,
        "now": world.now,
        "phones": phones,
        "first": [dice.choice((*NAMES, "")) for _ in phones],
        "last": [dice.choice(("Smith", "Wei", "García", words(40), "")) for _ in phones],
        "company": [words(200) for _ in phones],
        "city": [dice.choice(("Miami", "Zürich", "São Paulo", "", words(100))) for _ in phones],
    }
    with world.scope():
        run(
            """
WITH given AS (
    SELECT nextval('contacts_contact_id_seq') AS id, g.*
    FROM unnest(%(phones)s::text[], %(first)s::text[], %(last)s::text[], %(company)s::text[], %(city)s::text[])
        AS g(phone, first_name, last_name, company, city)
), made AS (
    INSERT INTO contacts_contact (id, organization_id, first_name, last_name, company, city, email, language, region,
        postcode, country, time_zone, custom, created_at, updated_at)
    SELECT id, %(organization)s, first_name, last_name, company, city, '', '', '', '', '', '', '{}', %(now)s, %(now)s
    FROM given
)
INSERT INTO contacts_contactphone (organization_id, contact_id, label, phone, textable)
SELECT %(organization)s, id, 'MOBILE', phone, true FROM given""",
            rows,
        )
    world.consent(*phones)
    return phones


def change_some(world: World, outreach: Outreach) -> None:
    """A hundred of those who were quoted are not any more who they were."""
    with world.scope():
        ids = [i for chunk in QuoteChunk.objects.filter(outreach=outreach) for i in chunk.contact_ids]
        chosen = random.Random(7).sample(ids, CHANGED)
        Contact.objects.filter(id__in=chosen[:40]).update(first_name="Maximiliana-Alexandrina the Third of Somewhere")
        Contact.objects.filter(id__in=chosen[40:60]).update(last_name="")
        Contact.objects.filter(id__in=chosen[60:80]).update(company="王小明 " * 20)
        phones = fetch_all(
            "SELECT phone FROM contacts_contactphone WHERE organization_id = %s AND contact_id = ANY(%s)",
            [world.id, chosen[80:]],
        )
        for (phone,) in phones:
            opt_out_by_staff(phone, actor=ACTOR, now=world.now)


@pytest.mark.parametrize(
    ("plan", "changes"),
    [
        ("metered", True),
        pytest.param("pro", True, marks=pytest.mark.slow),
        pytest.param("metered", False, marks=pytest.mark.slow),
    ],
)
def test_composer_quote_ledger_and_carrier_agree_to_the_segment(
    stack: Stack, settings: Any, plan: str, changes: bool
) -> None:
    settings.LINK_URL = f"{stack.web_url}/l/"  # as the workers have it
    stack.simulator.set_mood(receipt_delay=3600.0)  # receipts change nothing here
    tenant = seed_tenant(stack, now=now(), rate=None, plan=plan, credits=200_000)
    owner = User.objects.get(email=tenant.owner_sign_in.email)
    world = World(tenant.organization, owner, tenant.program, tenant.numbers[0], now())
    sender = Sender.of(stack, tenant, world)
    add_people(world)
    outreach = world.campaign(body=BODY)
    assert outreach.recipients + outreach.excluded == PEOPLE
    assert 7_000 < outreach.recipients < PEOPLE, "some lack a last name"
    with organization_scope(world.id):
        chunks = list(QuoteChunk.objects.filter(outreach=outreach))
        quoted = {
            phone: (segments, credits)
            for chunk in chunks
            for phone, segments, credits in zip(chunk.phones, chunk.segments, chunk.credits, strict=True)
        }
        people = preview(outreach, place=0, now=world.now).people
        looks = [preview(outreach, place=place, now=world.now) for place in range(people)]
    assert sum(segments for segments, _ in quoted.values()) == outreach.segments
    assert sum(credits for _, credits in quoted.values()) == outreach.credits
    if plan == "pro":
        assert outreach.credits == outreach.recipients, "one credit for each message"
    first = sorted(quoted)[:people]
    assert [(look.segments, look.credits_each) for look in looks] == [quoted[phone] for phone in first]
    assert len({look.segments for look in looks}) > 1
    assert len({segments for segments, _ in quoted.values()}) > 4
    if changes:
        change_some(world, outreach)
    sender.outreach = world.launch(outreach)
    progress = sender.wait_for(
        lambda found: not found.messages(*OPEN) and not found.credits_held, seconds=120, what="the campaign"
    )
    left = CHANGED if changes else 0
    assert progress.handed_over == outreach.recipients - left, progress.outcomes
    with organization_scope(world.id):
        sent = {m.phone: (m.segments, m.credits) for m in Message.objects.filter(campaign_id=outreach.campaign_id)}
        reasons = Counter(Exclusion.objects.filter(outreach_id=outreach.id).values_list("reason", flat=True))
    assert len(sent) == outreach.recipients - left
    other = {phone: (quoted[phone], figures) for phone, figures in sent.items() if quoted[phone] != figures}
    assert other == {}, "each as quoted"
    carried = {text["to"]: int(text["num_segments"]) for text in stack.simulator.texts(tenant.numbers[0].sender)}
    assert carried == {phone: segments for phone, (segments, _) in sent.items()}, "the carrier counts for itself"
    captured = sum(credits for _, credits in sent.values())
    assert progress.credits_captured == captured
    assert progress.credits_captured == outreach.credits - sum(
        quoted[phone][1] for phone in quoted.keys() - sent.keys()
    )
    assert progress.messages(State.SKIPPED) == 0
    if changes:
        assert (reasons["changed"], reasons["missing_value"] - _missing(world, outreach)) >= (40, 0)
        assert sum(reasons.values()) == outreach.excluded + CHANGED
    sender.prove()
    stack.simulator.set_mood(receipt_delay=0.05)


def _missing(world: World, outreach: Outreach) -> int:
    """Those whom the quote itself left out for an empty field."""
    with world.scope():
        return Contact.objects.filter(last_name="").count() - 20


def test_pictures_go_out_as_one_message_each(stack: Stack, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    sender = Sender(stack, people=20)
    with organization_scope(sender.world.id):
        picture = store_picture(SimpleUploadedFile("a.png", drawn()), actor=ACTOR, now=now())
    outreach = sender.world.campaign(body="Look {{ first_name }} " + "and see " * 40)
    with organization_scope(sender.world.id):
        Campaign.objects.filter(id=outreach.campaign_id).update(media_ids=[picture.id])
    quote_outreach(organization_id=sender.world.id, outreach_id=outreach.id, now=now())
    sender.outreach = sender.world.launch(sender.world.fresh(outreach))
    progress = sender.finish()
    texts = stack.simulator.texts(sender.number.sender)
    assert [(text["num_media"], text["num_segments"]) for text in texts] == [("1", "1")] * 20
    assert progress.credits_captured == 40
    sender.prove()
