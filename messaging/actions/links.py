"""Short links: made when a campaign's messages are written, counted when people follow them."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F

from accounts.models import Organization
from accounts.queries import current_organization
from common.sql import run
from common.tenancy import across_organizations, current_organization_id, organization_scope
from consent.actions import opt_out_by_link
from messaging.models import Click, Link, ShortLink
from messaging.rules.links import LIFETIME, code_of, is_code


@dataclass(frozen=True, slots=True)
class Target:
    """Where a short link leads. `url` is empty where it has ended, and where it is the way out (`stops`)."""

    url: str
    stops: bool = False
    organization: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """The codes of one person, in the order of the links of the text."""

    contact_id: int
    phone: str
    codes: tuple[str, ...]


def new_codes(count: int) -> tuple[str, ...]:
    """Codes that nobody can guess. Two alike are refused by the database: then the chunk is written again."""
    return tuple(code_of(secrets.randbits(64)) for _ in range(count))


def links_of_campaign(campaign_id: int, urls: Sequence[str], *, now: datetime) -> list[Link]:
    """The links of a text, in order; they live on from the newest outreach that has them."""
    for place, url in enumerate(urls):
        Link.objects.update_or_create(
            organization_id=current_organization_id(),
            campaign_id=campaign_id,
            place=place,
            defaults={"url": url, "expires_at": now + LIFETIME},
        )
    return list(Link.objects.filter(campaign_id=campaign_id, place__lt=len(urls)).order_by("place"))


def give_links(links: Sequence[Link], people: Sequence[Given]) -> None:
    """Write each person's short links."""
    rows = [
        (link.id, code, one.contact_id, one.phone)
        for one in people
        for link, code in zip(links, one.codes, strict=True)
    ]
    if not rows:
        return
    run(
        _GIVE,
        {
            "organization": current_organization_id(),
            "links": [row[0] for row in rows],
            "codes": [row[1] for row in rows],
            "contacts": [row[2] for row in rows],
            "phones": [row[3] for row in rows],
        },
    )


def follow(code: str, *, host: str, robot: bool, agent: str, now: datetime) -> Target | None:
    """Count a look at a short link and say where it leads; None: there is no such link. Opens its own scope.

    On a domain of an organization only its own links lead anywhere: nobody borrows another's good name.
    """
    found = _holder(code, host)
    if found is None:
        return None
    organization_id, short_id = found
    with organization_scope(organization_id):
        short = ShortLink.objects.select_for_update(no_key=True, of=("self",)).select_related("link").get(id=short_id)
        Click.objects.create(
            organization_id=organization_id, short_link_id=short.id, clicked_at=now, robot=robot, agent=agent[:200]
        )
        if not robot:
            first = short.clicked_at is None
            Link.objects.filter(id=short.link_id).update(clicks=F("clicks") + 1, people=F("people") + int(first))
            if first:
                short.clicked_at = now
                short.save(update_fields=["clicked_at"])
        if not short.link.url:  # the way out stays open for ever
            return Target("", stops=True, organization=current_organization().name)
        return Target(short.link.url if short.link.expires_at > now else "")


def stop_by_link(code: str, *, host: str, now: datetime) -> Target | None:
    """The person whom this link was texted to wants no more texts; None: no such link, or it leads elsewhere.

    Once more changes nothing.
    """
    found = _holder(code, host)
    if found is None:
        return None
    organization_id, short_id = found
    with organization_scope(organization_id):
        short = ShortLink.objects.select_related("link").get(id=short_id)
        if short.link.url:
            return None
        opt_out_by_link(short.phone, now=now)
        return Target("", stops=True, organization=current_organization().name)


def _holder(code: str, host: str) -> tuple[int, int] | None:
    """The organization and id of a short link, as seen from a domain."""
    if not is_code(code):
        return None
    with across_organizations(because="a short link tells whose it is"):
        found: tuple[int, int] | None = ShortLink.objects.filter(code=code).values_list("organization_id", "id").first()
        holder = Organization.objects.filter(link_domain=host).values_list("id", flat=True).first()
    return None if found is None or holder not in (None, found[0]) else found


_GIVE = """
INSERT INTO messaging_shortlink (organization_id, link_id, code, contact_id, phone)
SELECT %(organization)s, g.link_id, g.code, g.contact_id, g.phone
FROM unnest(%(links)s::bigint[], %(codes)s::text[], %(contacts)s::bigint[], %(phones)s::text[])
    AS g(link_id, code, contact_id, phone)
"""
