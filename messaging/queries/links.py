"""Reads of short links: what they begin with, and who followed them."""

from django.conf import settings

from accounts.queries import current_organization
from messaging.models import Link, ShortLink


def link_base() -> str:
    """What the short links of the organization in scope begin with: its own domain, else the installation's."""
    domain = current_organization().link_domain
    return f"https://{domain}/l/" if domain else str(settings.LINK_URL)


def links_of(campaign_id: int) -> list[Link]:
    """The links of a campaign's text, in order, with their counts."""
    return list(Link.objects.filter(campaign_id=campaign_id).order_by("place"))


CLICKERS = 50


def clickers_of(link: Link, *, after: str) -> list[ShortLink]:
    """The next people who followed a link, by phone; one more than a page holds tells that there is another."""
    found = ShortLink.objects.filter(link=link, clicked_at__isnull=False, phone__gt=after)
    return list(found.order_by("phone")[: CLICKERS + 1])
