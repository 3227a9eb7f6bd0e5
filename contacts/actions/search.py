"""What people are found by, written behind them."""

from collections.abc import Sequence

from common.sql import fetch_all
from common.tenancy import current_organization_id
from contacts.models import Unindexed


def find_anew(contact_ids: Sequence[int]) -> None:
    """Say that these contacts are new or have changed: they are found by it in a moment."""
    if contact_ids:
        Unindexed.objects.create(organization_id=current_organization_id(), contact_ids=list(contact_ids))


def fill_search() -> int:
    """Make those be found who were written together, the fewest first; return how many were, 0 when nobody waits.

    Runs across organizations.
    """
    ((people,),) = fetch_all(_FILL)
    return int(people)


_FILL = """
WITH taken AS (
    -- Few first: one tenant's million does not keep others from being found.
    SELECT id FROM contacts_unindexed ORDER BY cardinality(contact_ids), id LIMIT 1 FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM contacts_unindexed u USING taken WHERE u.id = taken.id RETURNING u.organization_id, u.contact_ids
), people AS (
    SELECT DISTINCT g.organization_id, i.id FROM gone g CROSS JOIN LATERAL unnest(g.contact_ids) AS i(id)
), filled AS (
    INSERT INTO contacts_contactsearch AS s (contact_id, organization_id, words)
    SELECT c.id, c.organization_id, lower(unaccent(concat_ws(
        ' ', '', c.first_name, c.last_name, c.company, c.email,
        (SELECT string_agg(p.phone, ' ') FROM contacts_contactphone p
         WHERE p.organization_id = c.organization_id AND p.contact_id = c.id))))
    FROM people w
    CROSS JOIN LATERAL (
        -- Held, so that nobody who is being deleted stays found.
        SELECT * FROM contacts_contact e WHERE e.organization_id = w.organization_id AND e.id = w.id
        LIMIT 1 FOR KEY SHARE) c
    ORDER BY c.id
    ON CONFLICT (contact_id) DO UPDATE SET words = excluded.words WHERE s.words <> excluded.words
)
SELECT count(*) FROM people
"""
