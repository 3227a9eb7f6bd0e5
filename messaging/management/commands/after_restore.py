"""After a backup was put back, or the database moved: read what the carriers know since then, and let dispatch go on.

Texts that have left are noted as sent, STOP and START that came meanwhile are obeyed. Run it as often as needed: what
was noted once is passed over.
"""

import asyncio
import pickle
import tempfile
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import IO, Any

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
            with tempfile.TemporaryFile() as kept:
                try:
                    places = asyncio.run(_keep_listed(credentials, since, kept))
                except TransientError as error:
                    raise CommandError(
                        f"The carrier of account {account_id} cannot be asked: {error}. Dispatch stays locked."
                        " Try again."
                    ) from error
                for batch in _oldest_first(kept, places):
                    with across_organizations(because="a restore concerns every organization"):
                        settle_listed(account_id, batch, now=now(), done=done)
                        done.inbound += replay_inbound(credentials.account_sid, batch, now=now())
        with across_organizations(because="a restore concerns every organization"):
            unlock_dispatch(now=now())
        self.stdout.write(
            f"{done.settled} texts had left that waited here, {done.known} were known, {done.unknown} belong to"
            f" what was made after the backup, {done.inbound} texts of people were obeyed. Dispatch goes on."
        )


async def _keep_listed(credentials: Credentials, since: datetime, kept: IO[bytes]) -> list[int]:
    """Write what the carrier lists, newest first, to a file of ours, in batches; return where each begins.

    A carrier lists millions: memory holds one batch.
    """
    gateway, places, batch = gateway_for(credentials), [], list[CarrierMessage]()

    def put_away() -> None:
        places.append(kept.tell())
        pickle.dump(batch, kept)
        batch.clear()

    try:
        async for message in gateway.listed(since=since):
            batch.append(message)
            if len(batch) == BATCH:
                put_away()
        put_away()
    finally:
        await gateway.close()
    return places


def _oldest_first(kept: IO[bytes], places: list[int]) -> Iterator[list[CarrierMessage]]:
    for place in reversed(places):
        kept.seek(place)
        batch: list[CarrierMessage] = pickle.load(kept)  # noqa: S301 - written by ourselves a moment ago
        yield sorted(batch, key=lambda message: message.created_at)


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"“{text}” is no time such as 2026-11-22T10:00Z") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
