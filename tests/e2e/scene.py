"""A business in the middle of its day: something on every page. Made by the product's own actions and processes."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import product
from typing import Any
from uuid import uuid4

from accounts.actions import add_day_off
from accounts.models import Department
from audiences.actions import request_listing, save_group
from audiences.queries import Audience, Selection
from audiences.rules.conditions import Condition, Group
from billing.actions import order_credits
from campaigns.actions import (
    DraftContent,
    DraftOrigin,
    add_outreach,
    create_campaign,
    launch_outreach,
    quote_outreach,
    save_draft,
    schedule_outreach,
)
from campaigns.models import Campaign, Outreach
from common.clock import now
from common.tenancy import organization_scope
from config.demo.seed import Tenant, seed_tenant
from config.stack import Stack
from consent.actions import JoinWord, ProgramDetails, change_program, opt_out_by_staff
from consent.rules.media import Level, Medium
from contacts.actions import ImportWish, add_to_list, create_field, create_list, request_export, request_import
from contacts.models import Contact, ContactPhone, Export, Import
from contacts.rules.fields import FieldKind
from content.actions import TemplateContent, create_template, store_file
from content.models import FileKind, Job, StoredFile
from inbox.models import Conversation
from messaging.actions.links import follow
from messaging.models import ShortLink
from registration.actions import submit_registration
from senders.actions import add_number, request_number
from senders.models import NumberRequest, SenderKind, SenderNumber

FIRST = "Maria Robert Aisha Chen Olga Pedro Hannah Luis Grace Omar Nina Paul Zoë Ivan Ruth Kofi Elena James Mei Łukasz"
LAST = (
    "González Aderholt Hassan Wei Petrova Silva Berg Ortega Okafor Haddad Rossi Novak Kim Diaz Cohen Mensah Popa Reed"
)
CITIES = (("305", "Miami", "FL"), ("212", "New York", "NY"), ("415", "San Francisco", "CA"), ("312", "Chicago", "IL"))
BODY = (
    "Hi {{ first_name|there }}, it's time for your spring check-up at {{ organization }}. Reply with a day that suits."
)


@dataclass(frozen=True, slots=True)
class Scene:
    """The tenant, and the addresses of its pages by name. Some change while they are looked at."""

    tenant: Tenant
    pages: dict[str, str]
    staff_pages: dict[str, str]


def contacts_file() -> str:
    """400 people of numbers kept for fiction (555-01xx), one of them without a usable phone."""
    names = list(product(FIRST.split(), LAST.split()))
    rows = ["First name,Last name,Mobile,City,State,Company"]
    for index in range(400):
        area, city, state = CITIES[index % 4]
        first, last = names[(index * 37) % len(names)]
        company = f"{last} Interiors" if index % 5 == 0 else ""
        rows.append(f"{first},{last},{area}-555-0{100 + index // 4:03},{city},{state},{company}")
    return "\n".join([*rows, "Nobody,Reachable,12,Miami,FL,"]) + "\n"


def build_scene(stack: Stack) -> Scene:
    tenant = seed_tenant(stack, now=now(), rate=60.0, numbers=2, credits=5_000)
    organization_id = tenant.organization.id
    with organization_scope(organization_id):
        slow = tenant.numbers[1]
        SenderNumber.objects.filter(id=slow.id).update(segments_per_second=Decimal(3))
        slow.refresh_from_db()
        tenant.organization.name = "Harbor Street Dental"
        tenant.organization.save()
    imported = _import(tenant, contacts_file().encode(), "patients-2026.csv")
    wait(lambda: _is_done(organization_id, imported))
    with organization_scope(organization_id):
        everybody = list(Contact.objects.order_by("id").values_list("id", flat=True))
        add_day_off(now().date() + timedelta(days=30), name="Thanksgiving", actor=tenant.owner, now=now())
        list_made = create_list(name="Patients 2026", actor=tenant.owner, now=now())
        add_to_list(list_made, everybody[:300], actor=tenant.owner, now=now())
        for row in ContactPhone.objects.filter(contact_id__in=everybody[20:32]):
            opt_out_by_staff(row.phone, actor=tenant.owner, now=now())
        ContactPhone.objects.filter(contact_id__in=everybody[40:43]).update(textable=False)
        field = create_field("Dentist", FieldKind.CHOICE, choices=["Dr. Li", "Dr. Roy"], now=now())
        quiet = Group(False, (Condition("texted", "never"), Condition("texted", "not_past", ("30",))))
        group = save_group(
            Group(True, (Condition("area", "any_of", ("305, 786",)), quiet)),
            name="Miami, quiet for a month",
            actor=tenant.owner,
            now=now(),
        )
        listing = request_listing(Selection(group_id=group.id), contact_list=list_made, actor=tenant.owner, now=now())
        waiting = _store(tenant, contacts_file().encode(), "newcomers.csv")
        phone = Contact.objects.get(id=everybody[0]).phones.get().phone
        program = change_program(
            tenant.program.id,
            name="Office updates",
            level=Level.INFORMATIONAL,
            brand="Harbor Street Dental",
            opt_in_text="By ticking this box I agree to get texts from Harbor Street Dental about appointments and "
            "opening hours. Up to 4 texts a month. Message and data rates may apply. Reply STOP to stop. Reply HELP "
            "for help. Terms: example.org/terms Privacy policy: example.org/privacy",
            details=ProgramDetails(
                use_case="appointments and opening hours",
                frequency="up to 4 texts a month",
                double_opt_in=True,
                terms_url="https://example.org/terms",
                privacy_url="https://example.org/privacy",
                form_number_id=tenant.numbers[0].id,
                join_words=(JoinWord(tenant.numbers[0].id, "TEETH", "poster at the reception"),),
            ),
            actor=tenant.owner,
            now=now(),
        )
        export = request_export(
            format=Export.Format.CSV, search="", contact_list=list_made, actor=tenant.owner, now=now()
        )
    body = BODY + " {{ link|https://example.org/opening-hours }} – no more texts: {{ stop_link }}"
    finished = _campaign(tenant, "Winter opening hours", tenant.numbers[0], [], body=body)
    _launch(tenant, finished)
    wait(lambda: _campaign_state(organization_id, finished) == "COMPLETED")
    stack.simulator.answer(phone=phone, sender=tenant.numbers[0].sender, body="Can I move my appointment to Friday?")
    wait(lambda: _conversation(organization_id))
    running = _campaign(tenant, "Spring check-up reminder", slow, [list_made.id])
    quoted = _campaign(tenant, "Holiday greeting", tenant.numbers[0], [list_made.id])
    scheduled = _campaign(tenant, "Summer hours", tenant.numbers[0], [], days=3)
    with organization_scope(organization_id):
        schedule_outreach(scheduled.id, quote_id=scheduled.quote_id, actor=tenant.owner, now=now())  # type: ignore[arg-type]
        draft = _draft(tenant)
        department = Department.objects.create(organization=tenant.organization, name="Harbor Street")
        third = add_number(
            carrier_account_id=slow.carrier_account_id,
            sender=f"+1877{slow.sender[5:]}",
            kind=SenderKind.TOLL_FREE,
            segments_per_second=Decimal(3),
            department=department,
            actor=tenant.owner,
            now=now(),
        )
        registration = submit_registration(
            number=third,
            use_case="Reminders of appointments to patients who asked for them",
            sample_text="Hi Maria, your appointment is tomorrow at 9:00. Reply STOP to stop.",
            opt_in_type="WEB_FORM",
            actor=tenant.owner,
            now=now(),
        )
        request_number(
            kind=SenderKind.LOCAL, wish="area code 305", department=department, actor=tenant.owner, now=now()
        )
        follow(
            ShortLink.objects.exclude(link__url="").values_list("code", flat=True)[0],
            host="localhost",
            robot=False,
            agent="A phone",
            now=now(),
        )
        reminder = {"en": f"{BODY} – we’re open", "es": "Hola {{ first_name|amigo }}, ¡hasta pronto!"}
        content = TemplateContent("Check-up reminder", reminder, "en", label="Visits")
        template = create_template(content, custom_fields=frozenset(), actor=tenant.owner, now=now())
        order = order_credits(credits=2_000, form_id=uuid4(), actor=tenant.owner, now=now())
        way_out = ShortLink.objects.filter(link__url="").values_list("code", flat=True)[0]
        conversation_id = Conversation.objects.values_list("id", flat=True)[0]
        request_id = NumberRequest.objects.values_list("id", flat=True)[0]
    _launch(tenant, running)
    with organization_scope(organization_id):
        further = add_outreach(
            Campaign.objects.get(id=finished.campaign_id),
            Audience(False, group_ids=(group.id,)),
            actor=tenant.owner,
            now=now(),
        )
    quote_outreach(organization_id=organization_id, outreach_id=further.id, now=now())
    pages = {
        "home": "/",
        "campaigns": "/campaigns/",
        "composer": f"/campaigns/{draft.id}/edit/",
        "composer, empty": "/campaigns/new/",
        "test to oneself": f"/campaigns/{draft.id}/test/",
        "review": f"/campaigns/{quoted.campaign_id}/review/",
        "left out": f"/campaigns/{finished.campaign_id}/left-out/",
        "running campaign": f"/campaigns/{running.campaign_id}/",
        "finished campaign": f"/campaigns/{finished.campaign_id}/",
        "scheduled campaign": f"/campaigns/{scheduled.campaign_id}/",
        "confirmation": f"/campaigns/{running.campaign_id}/cancel/",
        "recipients": f"/campaigns/{finished.campaign_id}/recipients/",
        "who followed the link": f"/campaigns/{finished.campaign_id}/links/0/",
        "audiences": f"/campaigns/{finished.campaign_id}/outreaches/",
        "review of an audience": f"/campaigns/{finished.campaign_id}/outreaches/{further.id}/",
        "recipients, file": f"/campaigns/{draft.id}/upload/",
        "recipients, columns": f"/campaigns/{draft.id}/upload/{waiting.id}/",
        "inbox": "/inbox/",
        "conversation": f"/inbox/{conversation_id}/",
        "contacts": "/contacts/",
        "contact": f"/contacts/{everybody[0]}/",
        "opting out": f"/contacts/{everybody[0]}/opt-out/",
        "new contact": "/contacts/new/",
        "changing a contact": f"/contacts/{everybody[0]}/edit/",
        "deleting a contact": f"/contacts/{everybody[0]}/delete/",
        "merging contacts": f"/contacts/{everybody[0]}/merge/",
        "own fields": "/contacts/fields/",
        "own field": f"/contacts/fields/{field.id}/",
        "lists": "/contacts/lists/",
        "list": f"/contacts/lists/{list_made.id}/",
        "target groups": "/contacts/groups/",
        "target group": f"/contacts/groups/{group.id}/",
        "target group, conditions": f"/contacts/groups/{group.id}/edit/",
        "new target group": "/contacts/groups/new/",
        "putting people on a list": f"/contacts/all/{listing.id}/",
        "deleting a target group": f"/contacts/groups/{group.id}/delete/",
        "export": f"/contacts/export/{export.id}/",
        "import, file": "/contacts/import/",
        "coming from elsewhere": "/contacts/import/former/",
        "coming from elsewhere, columns": f"/contacts/import/former/{waiting.id}/opt_outs/",
        "import, columns": f"/contacts/import/file/{waiting.id}/",
        "import, report": f"/contacts/import/{imported.id}/",
        "import, undo": f"/contacts/import/{imported.id}/undo/",
        "templates": "/templates/",
        "template": f"/templates/{template.id}/",
        "new template": "/templates/new/",
        "deleting a template": f"/templates/{template.id}/delete/",
        "programs": "/programs/",
        "new program": "/programs/new/",
        "program": f"/programs/{program.id}/",
        "changing a program": f"/programs/{program.id}/edit/",
        "sign-up page": f"/join/{program.form_key}/",
        "consent register": "/consent/",
        "consent of a person": f"/contacts/{everybody[0]}/consent/",
        "numbers": "/numbers/",
        "asking for a number": "/numbers/ask/",
        "registration, form": f"/numbers/{_unregistered(tenant, slow, department).id}/registration/",
        "registration, steps": f"/numbers/{third.id}/registration/",
        "settings": "/settings/",
        "days off": "/settings/days-off/",
        "billing": "/billing/",
        "buying credits": "/billing/buy/",
        "taking an order back": f"/billing/orders/{order.id}/cancel/",
        "way out of all texts": f"/l/{way_out}",
        "nothing here": "/campaigns/999999999/",
    }
    staff_pages = {
        "staff queue": "/staff/",
        "staff, registration": f"/staff/registrations/{registration.id}/",
        "staff, number": f"/staff/numbers/{request_id}/",
        "staff, payment": f"/staff/orders/{order.id}/",
        "style guide": "/styleguide/",
        "not for you": "/campaigns/",
    }
    return Scene(tenant, pages, staff_pages)


PUBLIC_PAGES = {
    "sign in": "/accounts/login/",
    "sign up": "/accounts/signup/",
    "forgotten password": "/accounts/password/reset/",
}


def wait(check: Callable[[], Any], seconds: float = 40.0) -> None:
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, "the scene was not ready in time"
        time.sleep(0.1)


def _store(tenant: Tenant, content: bytes, name: str) -> StoredFile:
    return store_file(
        kind=FileKind.IMPORT, name=name, content_type="text/csv", chunks=[content], actor=tenant.owner, now=now()
    )


def _import(tenant: Tenant, content: bytes, name: str) -> Import:
    with organization_scope(tenant.organization.id):
        return request_import(
            _store(tenant, content, name),
            ImportWish(
                program=tenant.program,
                medium=Medium.WEB_FORM,
                agreed_at=now() - timedelta(days=200),
                how="They ticked the box on our sign-up page.",
            ),
            actor=tenant.owner,
            now=now(),
        )


def _is_done(organization_id: int, imported: Import) -> bool:
    with organization_scope(organization_id):
        return bool(Import.objects.get(id=imported.id).job.state == Job.State.DONE)


def _campaign(
    tenant: Tenant, name: str, number: SenderNumber, list_ids: list[int], days: int = 0, body: str = BODY
) -> Outreach:
    with organization_scope(tenant.organization.id):
        campaign = create_campaign(
            name=name, program=tenant.program, number=number, body=f"{body} ({name})", actor=tenant.owner, now=now()
        )
        outreach = add_outreach(
            campaign,
            Audience(everyone=not list_ids, list_ids=tuple(list_ids)),
            actor=tenant.owner,
            now=now(),
            starts_at=now() + timedelta(days=days) if days else None,
        )
    quote_outreach(organization_id=tenant.organization.id, outreach_id=outreach.id, now=now())
    with organization_scope(tenant.organization.id):
        outreach.refresh_from_db()
    return outreach


def _launch(tenant: Tenant, outreach: Outreach) -> None:
    with organization_scope(tenant.organization.id):
        launch_outreach(outreach.id, quote_id=outreach.quote_id, actor=tenant.owner, now=now())  # type: ignore[arg-type]


def _draft(tenant: Tenant) -> Campaign:
    content = DraftContent("Autumn check-up", tenant.program, tenant.numbers[0], f"{BODY} We’re back – ask us…")
    return save_draft(content, origin=DraftOrigin(uuid4(), 0), actor=tenant.owner, now=now())


def _unregistered(tenant: Tenant, like: SenderNumber, department: Department) -> SenderNumber:
    with organization_scope(tenant.organization.id):
        return add_number(
            carrier_account_id=like.carrier_account_id,
            sender=f"+1866{like.sender[5:]}",
            kind=SenderKind.TOLL_FREE,
            segments_per_second=Decimal(3),
            department=department,
            actor=tenant.owner,
            now=now(),
        )


def _campaign_state(organization_id: int, outreach: Outreach) -> str:
    with organization_scope(organization_id):
        return Campaign.objects.values_list("state", flat=True).get(id=outreach.campaign_id)


def _conversation(organization_id: int) -> bool:
    with organization_scope(organization_id):
        return Conversation.objects.exists()
