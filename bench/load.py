"""Messages to send: a tenant with numbers, and paused streams full of texts that pass every check."""

import secrets
from dataclasses import dataclass

from billing.actions import reserve
from common.clock import now
from common.tenancy import organization_scope
from config.demo.seed import Tenant, seed_tenant
from config.stack import Stack
from consent.actions import grant_by_import, state_import
from consent.rules.media import Medium
from content.rules.segments import measure
from messaging.actions.queueing import Draft, queue_messages
from messaging.actions.streams import open_stream, set_stream_state
from messaging.models import Message, StreamState
from messaging.rules.digests import digest_of
from messaging.rules.kinds import TextKind
from senders.models import CarrierAccount, SenderKind

BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Load:
    """`count` messages over the tenant's numbers, in paused streams of one source."""

    tenant: Tenant
    source: str
    count: int

    def release(self) -> None:
        self._set(StreamState.OPEN)

    def pause(self) -> None:
        self._set(StreamState.PAUSED)

    def _set(self, state: StreamState) -> None:
        with organization_scope(self.tenant.organization.id):
            set_stream_state(source=self.source, state=state)

    def left(self) -> int:
        """Messages that are not handed over yet, counted for real."""
        with organization_scope(self.tenant.organization.id):
            return Message.objects.filter(state__in=["QUEUED", "CLAIMED"]).count()

    def accepted(self) -> int:
        with organization_scope(self.tenant.organization.id):
            return Message.objects.filter(captured=True).count()

    def ids(self) -> list[int]:
        with organization_scope(self.tenant.organization.id):
            return list(Message.objects.order_by("id").values_list("id", flat=True))


def make_load(
    stack: Stack,
    *,
    count: int,
    numbers: int,
    gateway: CarrierAccount.Gateway = CarrierAccount.Gateway.TWILIO,
    rate: float | None = None,
) -> Load:
    """Every message passes every check: consent, no opt-out, a reservation, no text of the same words before."""
    tenant = seed_tenant(
        stack, now=now(), rate=rate, numbers=numbers, gateway=gateway, kind=SenderKind.LOCAL, credits=count * 2
    )
    source = f"bench:{secrets.token_hex(4)}"
    phones = [f"+1205{2_000_000 + index:07}" for index in range(count)]
    with organization_scope(tenant.organization.id):
        statement = state_import(
            program=tenant.program,
            medium=Medium.WEB_FORM,
            agreed_at=now(),
            how="bench",
            actor=tenant.owner,
            now=now(),
        )
        for at in range(0, count, BATCH):
            grant_by_import(statement, phones[at : at + BATCH], now=now())
        reservation = reserve(credits=count, reference=source, actor=tenant.owner, now=now())
        for index, number in enumerate(tenant.numbers):
            stream = open_stream(
                number=number,
                kind=TextKind.CAMPAIGN,
                source=source,
                bucket=str(index),
                program_id=tenant.program.id,
                reservation_id=reservation.id,
                state=StreamState.PAUSED,
                now=now(),
            )
            drafts = [draft(phone) for phone in phones[index::numbers]]
            for at in range(0, len(drafts), BATCH):
                queue_messages(stream, drafts[at : at + BATCH], carrier_account_id=number.carrier_account_id, now=now())
    return Load(tenant, source, count)


def draft(phone: str, segments: int = 1) -> Draft:
    """A text of so many segments."""
    words = "Hello, your table is booked for eight. Call {} to change it.\nReply STOP to stop."
    body = (words.format(phone) + "." * 153 * (segments - 1))[: 160 if segments == 1 else 153 * segments]
    measured = measure(body)
    assert measured.segments == segments
    return Draft(phone, body, measured.encoding, measured.segments, measured.segments, digest_of(body))
