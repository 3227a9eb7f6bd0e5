"""Words and money of a campaign: the same figures in composer, quote and launch; advice; a second person."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.actions import SettingRefused, Settings, change_settings
from accounts.models import Membership, Notice, Organization, User
from accounts.rules.permissions import Role
from audiences.actions import LeftOut
from audiences.models import Exclusion
from audiences.queries import Candidate
from audiences.rules.exclusions import Reason
from billing.queries import cover_of
from billing.rules.pricing import Basis
from campaigns.actions import (
    ApprovalNeeded,
    CampaignRefused,
    LaunchRefused,
    check_ready,
    confirm_outreach,
    create_campaign,
    example_of,
    launch_outreach,
    preview,
    quote_outreach,
    use_template,
    withdraw_request,
    write_messages,
)
from campaigns.actions.texts import Writer
from campaigns.models import Campaign, Outreach
from campaigns.queries import advice_for, prices
from campaigns.rules.hours import Calendar
from common.actor import Actor
from consent.models import StopWord
from consent.rules.lawful_hours import ALWAYS
from consent.rules.media import Level
from contacts.models import Contact, ContactList, ContactPhone, CustomField
from content.actions import TemplateContent, create_template, delete_template
from content.rules.rendering import compile_template
from content.rules.segments import measure
from messaging.rules.states import State
from senders.models import NumberStatus, SenderNumber
from tests.conftest import NOW
from tests.world import ACTOR, World, build_world

CURLY = "It’s “spring” – {{ first_name|there }}…" + " Come and see us" * 5


def change(world: World, outreach: Outreach, **fields: Any) -> Outreach:
    """Another text, quoted anew."""
    with world.scope():
        Campaign.objects.filter(id=outreach.campaign_id).update(**fields)
    quote_outreach(organization_id=world.id, outreach_id=outreach.id, now=world.now)
    return world.fresh(outreach)


def decide(world: World, **changes: Any) -> None:
    with world.scope():
        Organization.objects.filter(id=world.id).update(**changes)


# Plain characters -----------------------------------------------------------------------------------------------------


def test_plain_characters_are_a_choice_and_what_they_save_is_told(world: World) -> None:
    for place, name in enumerate(("Ada", "Zoë", "Łukasz")):
        world.add_contact(f"+1256734604{place}", first_name=name)
    plain = world.campaign(body=CURLY)
    # Łukasz needs Unicode anyway, "ë" of Zoë too; only Ada's text is cheaper.
    assert [(p.encoding, p.segments, p.people) for p in prices(plain)] == [("GSM-7", 1, 1), ("UCS-2", 2, 2)]
    assert plain.plain_saves == {"segments": 1, "credits": 1}
    with world.scope():
        look = preview(plain, place=0, now=world.now)
    assert (look.segments, look.expense.saved, look.expense.credits_saved) == (1, 1, 3)
    assert [(c.character, c.plain) for c in look.expense.typed] == [
        ("’", "'"),
        ("“", '"'),
        ("”", '"'),
        ("–", "-"),
        ("…", "..."),
    ]
    assert look.expense.typed[0].places == (2,)
    off = change(world, plain, plain_characters=False)
    assert [(p.encoding, p.segments, p.people) for p in prices(off)] == [("UCS-2", 2, 3)]
    assert off.plain_saves == {"segments": 1, "credits": 1}, "what they would save"
    world.launch(off)
    assert all("’" in message.body and message.segments == 2 for message in world.messages())


@pytest.mark.django_db
def test_on_basis_message_only_segments_are_saved() -> None:
    world = build_world(NOW, plan="pro")
    world.add_contact("+12567346043", first_name="Ada")
    outreach = world.campaign(body=CURLY)
    assert outreach.plain_saves == {"segments": 1, "credits": 0}
    assert outreach.credits == 1


def test_the_characters_of_a_person_are_told_apart_from_those_of_the_text(world: World) -> None:
    world.add_contact("+12567346043", first_name="Łukasz")
    with world.scope():
        look = preview(world.campaign(body="Hello – {{ first_name }} 🎉" + " and so on" * 12), place=0, now=world.now)
    assert [c.character for c in look.expense.typed] == ["–", "🎉"]
    assert [c.character for c in look.expense.theirs] == ["Ł"]
    assert look.expense.saved == 0
    assert look.expense.left == look.segments - 1 > 0


# Fields ---------------------------------------------------------------------------------------------------------------


def test_own_fields_are_tags_and_their_absence_leaves_out(world: World) -> None:
    with world.scope():
        CustomField.objects.create(organization=world.organization, key="points", name="Points", created_at=world.now)
    rich = world.add_contact("+12567346043", first_name="Ada")
    world.add_contact("+12567346044", first_name="Bo")
    with world.scope():
        Contact.objects.filter(id=rich.id).update(custom={"points": 7})
    outreach = world.launch(world.campaign(body="{{ first_name }}: {{ custom.points }} points at {{ organization }}"))
    (message,) = world.messages()
    assert message.body.startswith(f"Ada: 7 points at {world.organization.name}")
    with world.scope():
        assert list(Exclusion.objects.values_list("reason", "detail")) == [("missing_value", "custom.points")]
    assert outreach.recipients == 1


def test_the_chosen_phone_is_texted(world: World) -> None:
    contact = world.add_contact("+12567346043", first_name="Ada")
    with world.scope():
        ContactPhone.objects.create(
            organization=world.organization, contact=contact, phone="+12567346099", label="WORK"
        )
    world.consent("+12567346099")
    outreach = world.campaign(body="Hello {{ phone }}")
    with world.scope():
        Outreach.objects.filter(id=outreach.id).update(phone_label="WORK")
    quote_outreach(organization_id=world.id, outreach_id=outreach.id, now=world.now)
    world.launch(world.fresh(outreach))
    assert [(m.phone, m.body.splitlines()[0]) for m in world.messages()] == [("+12567346099", "Hello +12567346099")]


def test_the_organizations_word_ends_texts_without_a_word_of_their_own(world: World) -> None:
    world.add_contact("+12567346043")
    decide(world, opt_out_word="NOMORE")
    world.launch(world.campaign(body="Hello"))
    assert world.messages()[0].body == "Hello\nReply NOMORE to stop."
    with world.scope():
        assert StopWord.objects.filter(word="nomore").exists(), "recognised on the number from now on (A7)"


# Nobody pays more than was quoted -------------------------------------------------------------------------------------


def test_links_of_a_longer_domain_do_not_cost_more_than_was_quoted(world: World, settings: Any) -> None:
    world.add_contact("+12567346043", first_name="Ada")
    settings.LINK_URL = "https://c.example/l/"
    outreach = world.campaign(body="x" * 105 + " {{ link|https://example.org/spring }}")
    assert outreach.segments == 1
    settings.LINK_URL = "https://a-much-longer-domain.example/l/"
    world.launch(outreach)
    assert world.messages() == []
    with world.scope():
        assert list(Exclusion.objects.values_list("reason", flat=True)) == ["changed"]


def test_a_plan_that_changes_meanwhile_does_not_change_the_price(world: World) -> None:
    from billing.models import CreditAccount
    from billing.queries import plan_named

    world.add_contact("+12567346043", first_name="Ada")
    with world.scope():
        CreditAccount.objects.update(plan=plan_named("pro"))
    outreach = world.campaign(body="Three segments long " * 18)
    assert (outreach.segments, outreach.credits) == (3, 1)
    with world.scope():
        CreditAccount.objects.update(plan=plan_named("metered"))
    world.launch(outreach)
    assert [(m.segments, m.credits) for m in world.messages()] == [(3, 1)]


WORDS = st.text(max_size=700) | st.text(st.sampled_from("aé’…😀中{\n"), max_size=700)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    first=WORDS,
    company=WORDS,
    plain=st.booleans(),
    limit=st.sampled_from([1, 160, 600, 1600]),
    basis=st.sampled_from(Basis),
)
def test_no_text_passes_the_limit_and_each_is_priced_as_it_is_measured(
    first: str, company: str, plain: bool, limit: int, basis: Basis
) -> None:
    writer = Writer(
        Outreach(),
        template=compile_template("Hi {{ first_name|there }}, {{ company }} {{ link|https://example.org }}"),
        organization=Organization(message_char_limit=limit, time_zone="UTC"),
        basis=basis,
        calendar=Calendar(sending=ALWAYS, promotional=False, home_zone="UTC"),
        plain=plain,
        media=False,
        by_name=False,
        link_base="https://c.example/l/",
        now=NOW,
    )
    result = writer.write(Candidate(1, "+12567346043", "", (first, company), ()))
    if isinstance(result, LeftOut):
        assert result.reason in (Reason.MISSING_VALUE, Reason.TOO_LONG)
        return
    draft = result.draft
    assert len(draft.body) <= limit
    measured = measure(draft.body)
    assert (draft.encoding, draft.segments) == (measured.encoding, measured.segments)
    assert draft.credits == (1 if basis is Basis.MESSAGE else measured.segments)


# The quote tells ------------------------------------------------------------------------------------------------------


def test_the_longest_and_the_dearest_text_can_be_seen(world: World) -> None:
    world.add_contact("+12567346043", first_name="Ada")
    world.add_contact("+12567346044", first_name="Maximiliana" * 9)
    world.add_contact("+12567346045", first_name="中" * 75)
    outreach = world.campaign(body="Hello {{ first_name }}")
    with world.scope():
        longest = example_of(outreach, "longest", now=world.now)
        dearest = example_of(outreach, "dearest", now=world.now)
        first = example_of(outreach, "", now=world.now)
    assert longest is not None
    assert dearest is not None
    assert first is not None
    assert longest.text.startswith("Hello Maxi")
    assert (dearest.encoding, dearest.segments) == ("UCS-2", 2)
    assert first.person == "Ada"


def test_credits_of_the_month_cover_first(world: World) -> None:
    with world.scope():
        cover = cover_of(12_000)
    assert (cover.included, cover.bought, cover.missing) == (0, 10_000, 2_000)
    pro = build_world(NOW, plan="pro", credits=100)
    with pro.scope():
        cover = cover_of(1_050)
    assert (cover.included, cover.bought, cover.missing) == (1_000, 50, 0)


def test_advice(world: World) -> None:
    world.add_contact("+12567346043", first_name="Ada")
    with world.scope():
        old = ContactList.objects.create(
            organization=world.organization, name="Old friends", created_at=world.now - timedelta(days=500)
        )
    outreach = world.campaign(body="Long words " * 20)
    with world.scope():
        SenderNumber.objects.update(status=NumberStatus.SUSPENDED)
        campaign = Campaign.objects.select_related("sender_number", "program").get(id=outreach.campaign_id)
        outreach.everyone, outreach.list_ids = False, [old.id]
        lines = [line.words for line in advice_for(campaign, outreach, now=world.now)]
    assert len(lines) == 3
    assert "suspended" in lines[0]
    assert "Every text takes more than one segment" in lines[1]
    assert "“Old friends” is older than a year" in lines[2]


@pytest.mark.django_db
def test_people_with_two_promotional_campaigns_this_month_are_told_of() -> None:
    world = build_world(NOW, level=Level.PROMOTIONAL)
    for place in range(3):
        world.add_contact(f"+1205200000{place}")
    from messaging.models import Message

    for words in ("First", "Second"):
        world.launch(world.campaign(body=words))
    with world.scope():
        Message.objects.filter(phone__in=["+12052000000", "+12052000001"]).update(captured=True, state=State.DELIVERED)
    outreach = world.campaign(body="Third")
    assert (outreach.recipients, outreach.crowded) == (3, 2)
    with world.scope():
        campaign = Campaign.objects.select_related("sender_number", "program").get(id=outreach.campaign_id)
        assert any("2 people got 2 promotional" in a.words for a in advice_for(campaign, outreach, now=world.now))


# A second person ------------------------------------------------------------------------------------------------------


@pytest.fixture
def colleague(world: World) -> User:
    user = User.objects.create_user(f"colleague-{uuid4().hex[:6]}@example.org", "a long enough password", name="Carl")
    with world.scope():
        Membership.objects.create(
            organization=world.organization, user=user, role=Role.ADMINISTRATOR, created_at=world.now
        )
    return user


def test_above_the_threshold_a_second_person_approves(world: World, colleague: User) -> None:
    for place in range(3):
        world.add_contact(f"+1205200000{place}")
    decide(world, approval_above=2)
    outreach = world.campaign(body="Hello")
    assert outreach.quote_id is not None
    asker, other = Actor("Olivia", world.owner.id), Actor("Carl", colleague.id)
    with world.scope():
        with pytest.raises(ApprovalNeeded, match="3 messages"):
            launch_outreach(outreach.id, quote_id=outreach.quote_id, actor=asker, now=world.now)
        asked = confirm_outreach(outreach.id, quote_id=outreach.quote_id, actor=asker, now=world.now)
        assert asked.state == "AWAITING_APPROVAL"
        assert Notice.objects.filter(text__contains="Olivia asks for your approval").exists()
        with pytest.raises(ApprovalNeeded):
            confirm_outreach(outreach.id, quote_id=outreach.quote_id, actor=asker, now=world.now)
        opened = confirm_outreach(outreach.id, quote_id=outreach.quote_id, actor=other, now=world.now)
        assert (opened.state, opened.approved_by) == ("OPEN", "Carl")


def test_a_request_is_void_once_words_or_price_change(world: World, colleague: User) -> None:
    for place in range(3):
        world.add_contact(f"+1205200000{place}")
    decide(world, approval_above=2)
    outreach = world.campaign(body="Hello")
    asker, other = Actor("Olivia", world.owner.id), Actor("Carl", colleague.id)
    with world.scope():
        former = outreach.quote_id
        confirm_outreach(outreach.id, quote_id=former, actor=asker, now=world.now)  # type: ignore[arg-type]
        assert withdraw_request(outreach.id, actor=asker, now=world.now).state == "QUOTED"
        confirm_outreach(outreach.id, quote_id=former, actor=asker, now=world.now)  # type: ignore[arg-type]
        assert Notice.objects.filter(dismissed_at=None, text__contains="asks for your approval").count() == 1
        template = create_template(
            TemplateContent("Visit", {"en": "See you"}, "en"), custom_fields=frozenset(), actor=ACTOR, now=world.now
        )
        use_template(outreach.campaign_id, template, actor=asker, now=world.now)
        assert not Notice.objects.filter(dismissed_at=None, text__contains="asks for your approval").exists()
    again = change(world, outreach, body="Other words")
    assert again.state == "QUOTED"
    with world.scope(), pytest.raises(LaunchRefused, match="changed since you saw it"):
        confirm_outreach(outreach.id, quote_id=former, actor=other, now=world.now)  # type: ignore[arg-type]


def test_approval_by_the_pages(world: World, colleague: User, client: Client) -> None:
    for place in range(3):
        world.add_contact(f"+1205200000{place}")
    decide(world, approval_above=2)
    outreach = world.campaign(body="Hello")
    review = f"/campaigns/{outreach.campaign_id}/review/"
    quote = {"quote": str(outreach.quote_id)}
    backend = "allauth.account.auth_backends.AuthenticationBackend"
    client.force_login(world.owner, backend=backend)
    assert "Ask for approval of 3 messages" in client.get(review).content.decode()
    asked = client.post(review, quote, follow=True).content.decode()
    assert "Nothing is sent before one of them does" in asked
    assert "Take the request back" in asked
    client.force_login(colleague, backend=backend)
    assert "Approve and send 3 messages" in client.get(review).content.decode()
    client.post(review, quote)
    assert world.fresh(outreach).state == "OPEN"


# Templates in the composer --------------------------------------------------------------------------------------------


def test_a_template_is_used_in_the_language_of_the_draft(world: World, client: Client) -> None:
    world.add_contact("+12567346043", first_name="Ada")
    with world.scope():
        bodies = {"en": "See you, {{ first_name|there }}", "es": "Hasta pronto, {{ first_name|amigo }}"}
        template = create_template(
            TemplateContent("Visit", bodies, "en"), custom_fields=frozenset(), actor=ACTOR, now=world.now
        )
        campaign = create_campaign(
            name="Visits", program=world.program, number=world.number, body="x", actor=ACTOR, now=world.now
        )
        Campaign.objects.filter(id=campaign.id).update(language="es")
        used = use_template(campaign.id, template, actor=ACTOR, now=world.now)
        assert used.body == "Hasta pronto, {{ first_name|amigo }}"
        assert used.template_version is not None
        template.refresh_from_db()
        assert template.uses == 1
        delete_template(template.id, actor=ACTOR, now=world.now)
        campaign.refresh_from_db()
        assert campaign.body == "Hasta pronto, {{ first_name|amigo }}", "deleted while in use: the words stay"
        Campaign.objects.filter(id=campaign.id).update(state="SENDING")
        with pytest.raises(CampaignRefused, match="under way"):
            use_template(campaign.id, template, actor=ACTOR, now=world.now)


def test_a_template_overwrites_nothing_unasked(world: World, client: Client) -> None:
    with world.scope():
        template = create_template(
            TemplateContent("Visit", {"en": "See you"}, "en"), custom_fields=frozenset(), actor=ACTOR, now=world.now
        )
    client.force_login(world.owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    fields = {
        "form_id": str(uuid4()),
        "revision": "0",
        "body": "My own words",
        "template": str(template.id),
        "then": "template",
    }
    page = client.post("/campaigns/new/", fields)
    assert "There is a text already" in page.content.decode()
    assert "My own words" in page.content.decode()
    answer = client.post("/campaigns/new/", fields | {"replace": "on", "revision": "1"})
    assert answer.status_code == 302
    with world.scope():
        assert Campaign.objects.get().body == "See you"


# Bad input ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("Hi {{ frist_name }}", "Did you mean “first_name”? (at character 4)"),
        ("Hi {{ first_name", "this brace has no partner. (at character 4)"),
        ("{{ link|http://example.org }}", "begins with https://"),
        ("x" * 601, "are allowed"),
        ("", "it is empty"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_its_place(world: World, body: str, words: str) -> None:
    campaign = Campaign(
        organization=world.organization,
        name="A",
        program=world.program,
        sender_number=world.number,
        body=body,
        sending_hours=[[0, 1440]] * 7,
    )
    with world.scope(), pytest.raises(CampaignRefused) as refused:
        check_ready(campaign)
    assert words in str(refused.value)
    assert refused.value.facts["field"] == "body"


@pytest.mark.parametrize("size", [6_000, 5_000_000])
def test_a_paste_that_is_far_too_long_is_told_and_the_saved_words_stay(world: World, client: Client, size: int) -> None:
    client.force_login(world.owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    fields = {"form_id": str(uuid4()), "revision": "0", "name": "Kept", "body": "Good words"}
    client.post("/campaigns/draft/", fields, headers={"HX-Request": "true"})
    page = client.post(
        "/campaigns/draft/", fields | {"body": "x" * size, "revision": "1"}, headers={"HX-Request": "true"}
    )
    assert f"{size} characters" in page.content.decode()
    with world.scope():
        assert Campaign.objects.get().body == "Good words"


def test_a_request_beyond_every_size_is_told_in_words(world: World, client: Client) -> None:
    client.force_login(world.owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = client.post("/campaigns/draft/", {"body": "x" * 11_000_000})
    assert answer.status_code == 413
    assert "too much at once" in answer.content.decode()


def test_writing_again_gives_the_same_links_no_second_time(world: World) -> None:
    world.add_contact("+12567346043")
    outreach = world.launch(world.campaign(body="See {{ link|https://example.org }}"))
    write_messages(organization_id=world.id, outreach_id=outreach.id, now=world.now)
    from messaging.models import ShortLink

    with world.scope():
        assert ShortLink.objects.count() == 1


# Found by reading ------------------------------------------------------------------------------------------


def test_settings_that_change_after_the_quote_are_told_before_anything_is_sent(world: World) -> None:
    world.add_contact("+12567346043")
    outreach = world.campaign(body="Hello")
    decide(world, opt_out_word="NOMORE")
    with world.scope(), pytest.raises(LaunchRefused, match="settings changed"):
        launch_outreach(outreach.id, quote_id=outreach.quote_id, actor=ACTOR, now=world.now)  # type: ignore[arg-type]
    assert world.messages() == []


def test_an_address_as_phones_write_it_is_a_link(world: World) -> None:
    world.add_contact("+12567346043")
    world.launch(world.campaign(body="{{ link|Https://example.org/A }}"))
    from messaging.models import Link

    with world.scope():
        assert Link.objects.get().url == "https://example.org/A"
    assert len(world.messages()) == 1


def test_what_is_asked_twice_to_be_duplicated_loses_no_pictures(world: World) -> None:
    from campaigns.actions import duplicate_campaign

    world.add_contact("+12567346043")
    outreach = world.campaign(body="Hello")
    form_id = uuid4()
    with world.scope():
        Campaign.objects.filter(id=outreach.campaign_id).update(media_ids=[1, 2])
        copy = duplicate_campaign(outreach.campaign_id, form_id=form_id, actor=ACTOR, now=world.now)
        assert copy.media_ids == [1, 2]
        Campaign.objects.filter(id=copy.id).update(media_ids=[], body="Changed in the copy", revision=2)
        again = duplicate_campaign(outreach.campaign_id, form_id=form_id, actor=ACTOR, now=world.now)
        assert (again.id, again.media_ids, again.body) == (copy.id, [], "Changed in the copy")


def test_only_the_owner_lets_campaigns_go_without_a_second_person(world: World, colleague: User) -> None:
    decide(world, approval_above=10)
    with world.scope():
        with pytest.raises(SettingRefused, match="Only the owner"):
            change_settings(Settings(600, "STOP", None), actor=Actor("Carl", colleague.id), now=world.now)
        change_settings(Settings(600, "STOP", 5), actor=Actor("Carl", colleague.id), now=world.now)
        change_settings(Settings(600, "STOP", None), actor=Actor("Olivia", world.owner.id), now=world.now)


def test_other_settings_can_change_once_the_only_colleague_has_left(world: World, colleague: User) -> None:
    decide(world, approval_above=10)
    with world.scope():
        Membership.objects.filter(user=colleague).delete()
        change_settings(Settings(480, "STOP", 10), actor=Actor("Olivia", world.owner.id), now=world.now)
        assert Organization.objects.get(id=world.id).message_char_limit == 480


def test_a_refused_approval_is_not_noted(world: World, colleague: User, client: Client) -> None:
    from accounts.models import AuditEvent

    world.add_contact("+12567346043")
    decide(world, approval_above=0)
    outreach = world.campaign(body="Hello")
    quote = {"quote": str(outreach.quote_id)}
    backend = "allauth.account.auth_backends.AuthenticationBackend"
    client.force_login(world.owner, backend=backend)
    client.post(f"/campaigns/{outreach.campaign_id}/review/", quote)
    assert "Waits for approval" in client.get("/campaigns/").content.decode()
    with world.scope():
        SenderNumber.objects.update(status=NumberStatus.SUSPENDED)
    client.force_login(colleague, backend=backend)
    page = client.post(f"/campaigns/{outreach.campaign_id}/review/", quote, follow=True).content.decode()
    assert "not registered" in page
    with world.scope():
        assert not AuditEvent.objects.filter(action="outreach.approved").exists()
    assert world.fresh(outreach).state == "AWAITING_APPROVAL"


@pytest.mark.parametrize("path", ["/l/%00", "/templates/?q=%00", "/contacts/?q=a%00b"])
def test_no_address_is_an_error_of_ours(world: World, client: Client, path: str) -> None:
    client.force_login(world.owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.get(path).status_code in (400, 404)
