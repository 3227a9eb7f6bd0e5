"""The people of a target group page by page, each page at the same cost however rare they are."""

import time
from dataclasses import dataclass
from datetime import datetime

from audiences.queries.groups import Predicate, predicate_of_ids
from common.sql import fetch_all
from common.tenancy import current_organization_id
from contacts.queries import ContactRow, contact_ids_after, contact_rows

PAGE = 50
WINDOW = 2_000
"""Contacts that are looked at with one statement."""

PATIENCE = 0.03
"""Seconds after which a page shows whom it has found; the next one goes on from there."""


@dataclass(frozen=True, slots=True)
class GroupPage:
    """`next_after` is the contact that the next page begins after; None: there is none. `whole`: the page is full."""

    rows: tuple[ContactRow, ...]
    next_after: int | None
    whole: bool


def group_page(asked: Predicate, *, after_id: int) -> GroupPage:
    """The next people who fit, in the order of their ids."""
    statement = _WINDOW.format(predicate=asked.probing)
    facts = {**asked.parameters, "organization": current_organization_id(), "limit": WINDOW}
    found, end = list[int](), time.monotonic() + PATIENCE
    last: int | None = after_id
    while last is not None:
        ((fitting, looked_at, newest),) = fetch_all(statement, facts | {"after": last})
        found += fitting or []
        last = newest if looked_at == WINDOW else None
        if len(found) > PAGE or time.monotonic() >= end:
            break
    if len(found) > PAGE:
        return GroupPage(contact_rows(found[:PAGE]), found[PAGE - 1], True)
    return GroupPage(contact_rows(found), last, last is None)


@dataclass(frozen=True, slots=True)
class Selection:
    """Everybody whom a page shows: those of a target group; or of a list, of a search, or all."""

    search: str = ""
    list_id: int | None = None
    group_id: int | None = None


def selected_after(selection: Selection, after_id: int, limit: int, *, now: datetime) -> tuple[list[int], int | None]:
    """Of the next `limit` contacts those who are selected, and where to go on; None: that was all of them."""
    if selection.group_id is None:
        ids = contact_ids_after(after_id, limit, search=selection.search, list_id=selection.list_id)
        return ids, ids[-1] if ids else None
    asked = predicate_of_ids([selection.group_id], now=now)
    facts = {**asked.parameters, "organization": current_organization_id(), "limit": limit, "after": after_id}
    ((fitting, looked_at, newest),) = fetch_all(_WINDOW.format(predicate=asked.probing), facts)
    return fitting or [], newest if looked_at == limit else None


_WINDOW = """
WITH looked_at AS MATERIALIZED (
    SELECT c.id, {predicate} AS fits FROM (
        SELECT * FROM contacts_contact WHERE organization_id = %(organization)s AND id > %(after)s
        ORDER BY id LIMIT %(limit)s) c)
SELECT (SELECT array_agg(id ORDER BY id) FROM looked_at WHERE fits), (SELECT count(*) FROM looked_at),
    (SELECT max(id) FROM looked_at)
"""
