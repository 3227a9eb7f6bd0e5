"""Target groups as views of the contacts, where the page lies below them."""

from django import template
from django.db.models import QuerySet

from audiences.models import TargetGroup
from audiences.queries import target_groups

register = template.Library()

SHOWN = 8


@register.simple_tag
def saved_views() -> QuerySet[TargetGroup]:
    """The first target groups by name."""
    return target_groups()[:SHOWN]
