"""Domain objects for tests, made by the product's own actions."""

import secrets
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from accounts.models import Department, Organization, User
from audiences.queries import Audience
from billing.actions import add_credits
from billing.models import LotKind
from campaigns.actions import add_outreach, create_campaign, launch_outreach, quote_outreach, write_messages
from campaigns.models import Outreach
from common.actor import Actor
from common.tenancy import across_organizations, organization_scope
from consent.actions import (
    Inbound,
    ReplyDue,
    ReplyKind,
    create_program,
    grant_by_import,
    note_request_text,
    obey_inbound,
    state_import,
)
from consent.models import Program
from consent.rules.lawful_hours import ALWAYS, Weekly
from consent.rules.media import Level, Medium
from contacts.actions import fill_search, find_anew
from contacts.models import Contact, ContactPhone
from dashboard.actions import open_organization
from messaging.models import Message
from registration.actions import approve_registration, submit_registration
from senders.actions import add_carrier_account, add_number
from senders.models import CarrierAccount, SenderKind, SenderNumber

ACTOR = Actor("Tess Tester")


@dataclass(frozen=True, slots=True)
class World:
    """A tenant that can send, and verbs for what tests do with it."""

    organization: Organization
    owner: User
    program: Program
    number: SenderNumber
    now: datetime

    @property
    def id(self) -> int:
        return self.organization.id

    def scope(self) -> AbstractContextManager[None]:
        return organization_scope(self.id)

    def add_contact(self, phone: str, *, consent: bool = True, **fields: str) -> Contact:
        with self.scope():
            contact = Contact.objects.create(
                organization=self.organization, created_at=self.now, updated_at=self.now, **fields
            )
            ContactPhone.objects.create(organization=self.organization, contact=contact, phone=phone)
            find_anew([contact.id])
            if consent:
                self.consent(phone)
        return contact

    def fill_search(self) -> None:
        """Let everybody be found, as the worker does behind what is written."""
        with across_organizations(because="as the worker does"):
            while fill_search():
                pass

    def consent(self, *phones: str) -> None:
        with self.scope():
            statement = state_import(
                program=self.program,
                medium=Medium.WEB_FORM,
                agreed_at=self.now,
                how="web form",
                actor=ACTOR,
                now=self.now,
            )
            grant_by_import(statement, phones, now=self.now)

    def receive(
        self, phone: str, body: str, *, at: datetime, now: datetime | None = None, sid: str = "", **more: Any
    ) -> list[ReplyDue]:
        """A text of a person to the number, as far as consent is concerned; `more` as Inbound has it."""
        facts: dict[str, Any] = {
            "toll_free": self.number.kind == SenderKind.TOLL_FREE,
            "carrier_keyword": None,
            "has_reached": lambda message_id, before: True,
        }
        with self.scope():
            text = Inbound(
                phone=phone,
                sender_number_id=self.number.id,
                body=body,
                sid=sid or secrets.token_hex(8),
                received_at=at,
                organization_name="Bakery",
                **facts | more,
            )
            replies = obey_inbound(text, now=now or at)
            if any(reply.kind is ReplyKind.ASKED for reply in replies):
                note_request_text(text.sid, message_id=1)  # as messaging does once it has the text
            return replies

    def campaign(
        self, *, body: str = "Hello {{ first_name|there }}", hours: Weekly = ALWAYS, **fields: object
    ) -> Outreach:
        """A campaign to everybody, quoted."""
        with self.scope():
            campaign = create_campaign(
                name="News",
                program=self.program,
                number=self.number,
                body=body,
                actor=ACTOR,
                now=self.now,
                sending_hours=hours,
            )
            outreach = add_outreach(campaign, Audience(), actor=ACTOR, now=self.now, **fields)  # type: ignore[arg-type]
        quote_outreach(organization_id=self.id, outreach_id=outreach.id, now=self.now)
        return self.fresh(outreach)

    def launch(self, outreach: Outreach) -> Outreach:
        """Launch with its quote and write every message."""
        assert outreach.quote_id is not None
        with self.scope():
            launch_outreach(outreach.id, quote_id=outreach.quote_id, actor=ACTOR, now=self.now)
        write_messages(organization_id=self.id, outreach_id=outreach.id, now=self.now)
        return self.fresh(outreach)

    def fresh(self, outreach: Outreach) -> Outreach:
        with self.scope():
            return Outreach.objects.select_related("campaign").get(id=outreach.id)

    def messages(self) -> Sequence[Message]:
        with self.scope():
            return list(Message.objects.order_by("id"))


def build_world(
    now: datetime,
    *,
    level: Level = Level.INFORMATIONAL,
    plan: str = "metered",
    credits: int = 10_000,
    kind: SenderKind = SenderKind.LOCAL,
) -> World:
    serial = secrets.token_hex(5)
    owner = User.objects.create_user(f"owner-{serial}@example.org", "a long enough password", name="Olivia")
    organization = open_organization(name=f"Bakery {serial}", owner=owner, now=now, plan=plan)
    account = add_carrier_account(
        gateway=CarrierAccount.Gateway.TWILIO,
        account_sid="AC" + "5" * 32,
        auth_token="simulated-token",
        base_url="http://127.0.0.1:1",
        now=now,
    )
    with organization_scope(organization.id):
        add_credits(kind=LotKind.PURCHASED, credits=credits, reference="test", actor=ACTOR, now=now)
        program = create_program(
            name="Updates", level=level, brand=organization.name, opt_in_text="I agree.", actor=ACTOR, now=now
        )
        number = add_number(
            carrier_account_id=account.id,
            sender=f"+1888{secrets.randbelow(8_000_000) + 2_000_000}",
            kind=kind,
            segments_per_second=Decimal(100),
            department=Department.objects.get(),
            actor=ACTOR,
            now=now,
        )
        registration = submit_registration(
            number=number, use_case="news", sample_text="Hello", opt_in_type="WEB_FORM", actor=ACTOR, now=now
        )
        approve_registration(registration.id, reviewer=ACTOR, now=now)
        number.refresh_from_db()
    return World(organization, owner, program, number, now)
