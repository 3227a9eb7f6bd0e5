"""Campaigns from the shell: draft, quote, launch, schedule, progress, pause, resume, cancel, complete."""

import json
from argparse import ArgumentParser
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.management import BaseCommand, CommandError
from django.utils.dateparse import parse_datetime

from audiences.queries import Audience
from campaigns.actions import (
    add_outreach,
    advance,
    cancel_campaign,
    create_campaign,
    launch_outreach,
    pause_campaign,
    quote_outreach,
    resume_campaign,
    schedule_outreach,
)
from campaigns.queries import outreach, outreach_progress
from common.actor import Actor
from common.clock import now
from common.errors import DomainError
from common.tenancy import organization_scope
from consent.queries import program
from senders.queries import numbers

ACTOR = Actor(label="operator at the shell")


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organization", type=int, required=True, help="id of the tenant")
        verbs = parser.add_subparsers(dest="verb", required=True)
        draft = verbs.add_parser("draft", help="write a campaign to everybody; prints its ids")
        draft.add_argument("--name", required=True)
        draft.add_argument("--body", required=True)
        draft.add_argument("--program", type=int, required=True)
        draft.add_argument("--number", type=int, required=True)
        draft.add_argument("--starts-at", type=_instant)
        for verb in ("quote", "launch", "schedule", "progress"):
            one = verbs.add_parser(verb)
            one.add_argument("outreach", type=int)
            if verb in ("launch", "schedule"):
                one.add_argument("--quote", type=UUID, required=True, help="the quote's id: sends what it says")
        for verb in ("pause", "resume", "cancel"):
            verbs.add_parser(verb).add_argument("campaign", type=int)
        verbs.add_parser("complete", help="close what is through, now rather than within a second")

    def handle(self, *args: Any, verb: str, organization: int, **options: Any) -> None:
        try:
            self.stdout.write(json.dumps(getattr(self, f"_{verb}")(organization, options), default=str))
        except DomainError as error:
            raise CommandError(str(error)) from error

    def _draft(self, organization: int, options: dict[str, Any]) -> object:
        with organization_scope(organization):
            campaign = create_campaign(
                name=options["name"],
                program=program(options["program"]),
                number=numbers().get(id=options["number"]),
                body=options["body"],
                actor=ACTOR,
                now=now(),
            )
            added = add_outreach(campaign, Audience(), starts_at=options["starts_at"], actor=ACTOR, now=now())
        return {"campaign": campaign.id, "outreach": added.id}

    def _quote(self, organization: int, options: dict[str, Any]) -> object:
        quote_id = quote_outreach(organization_id=organization, outreach_id=options["outreach"], now=now())
        with organization_scope(organization):
            quoted = outreach(options["outreach"])
        return {
            "quote": quote_id,
            "recipients": quoted.recipients,
            "excluded": quoted.excluded,
            "segments": quoted.segments,
            "credits": quoted.credits,
        }

    def _launch(self, organization: int, options: dict[str, Any]) -> object:
        return self._start(organization, options, launch_outreach)

    def _schedule(self, organization: int, options: dict[str, Any]) -> object:
        return self._start(organization, options, schedule_outreach)

    def _start(self, organization: int, options: dict[str, Any], action: Callable[..., Any]) -> object:
        with organization_scope(organization):
            started = action(options["outreach"], quote_id=options["quote"], actor=ACTOR, now=now())
        return {"outreach": started.id, "state": started.state}

    def _progress(self, organization: int, options: dict[str, Any]) -> object:
        with organization_scope(organization):
            progress = outreach_progress(options["outreach"])
        return {
            "state": progress.state,
            "audience": progress.audience,
            "left_out": progress.exclusions,
            "messages": {state.value: counts.messages for state, counts in progress.outcomes.items()},
            "credits_quoted": progress.credits_quoted,
            "credits_captured": progress.credits_captured,
            "credits_held": progress.credits_held,
        }

    def _pause(self, organization: int, options: dict[str, Any]) -> object:
        return self._control(organization, options, pause_campaign)

    def _resume(self, organization: int, options: dict[str, Any]) -> object:
        return self._control(organization, options, resume_campaign)

    def _cancel(self, organization: int, options: dict[str, Any]) -> object:
        return self._control(organization, options, cancel_campaign)

    def _control(self, organization: int, options: dict[str, Any], action: Callable[..., None]) -> object:
        with organization_scope(organization):
            action(options["campaign"], actor=ACTOR, now=now())
        return {"campaign": options["campaign"]}

    def _complete(self, organization: int, options: dict[str, Any]) -> object:
        advance(now=now())
        return {}


def _instant(text: str) -> datetime:
    found = parse_datetime(text)
    if found is None or found.tzinfo is None:
        raise CommandError("Write the start with its zone, such as 2026-12-01T09:00-05:00.")
    return found
