"""After a backup was put back, or the database moved: read what the carriers know since then, and let dispatch go on.

Texts that have left are noted as sent, STOP and START that came meanwhile are obeyed. Run it as often as needed: what
was noted once is passed over.
"""

import asyncio
from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from typing import Any

from django.core.management import BaseCommand, CommandError

from common.clock import now
from common.errors import TransientError
from common.tenancy import across_organizations
from messaging.actions.receiving import replay_inbound
from messaging.actions.restoring import Restored, settle_listed, unlock_dispatch
from messaging.gateways.base import CarrierMessage
from messaging.gateways.registry import gateway_for
from senders.queries import Credentials, all_credentials

BATCH = 500


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--since", type=_instant, required=True, help="when the backup was taken, such as 2026-11-22T10:00Z"
        )

    def handle(self, *args: Any, since: datetime, **options: Any) -> None:
        if since > now():
            raise CommandError("--since lies in the future. Give the time at which the backup was taken.")
        done = Restored()
        for account_id, credentials in all_credentials().items():
            try:
                listed = asyncio.run(_listed(credentials, since))
            except TransientError as error:
                raise CommandError(
                    f"The carrier of account {account_id} cannot be asked: {error}. Dispatch stays locked. Try again."
                ) from error
            listed.sort(key=lambda message: message.created_at)
            for at in range(0, len(listed), BATCH):
                page = listed[at : at + BATCH]
                with across_organizations(because="a restore concerns every organization"):
                    settle_listed(account_id, page, now=now(), done=done)
                    done.inbound += replay_inbound(credentials.account_sid, page, now=now())
        with across_organizations(because="a restore concerns every organization"):
            unlock_dispatch(now=now())
        self.stdout.write(
            f"{done.settled} texts had left that waited here, {done.known} were known, {done.unknown} belong to"
            f" what was made after the backup, {done.inbound} texts of people were obeyed. Dispatch goes on."
        )


async def _listed(credentials: Credentials, since: datetime) -> list[CarrierMessage]:
    gateway = gateway_for(credentials)
    try:
        return [message async for message in gateway.listed(since=since)]
    finally:
        await gateway.close()


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"“{text}” is no time such as 2026-11-22T10:00Z") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
