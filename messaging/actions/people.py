"""Whose texts they are, where two contacts become one."""

from collections.abc import Sequence

from common.sql import run
from common.tenancy import current_organization_id


def hand_over_texts(phones: Sequence[str], *, former_id: int, contact_id: int) -> None:
    """Let the texts of these phones that name a former contact name another: lists of recipients show it then.

    Of the short links only those that were followed are listed, and found by an index.
    """
    values = {
        "organization": current_organization_id(),
        "phones": list(phones),
        "former": former_id,
        "contact": contact_id,
    }
    for table, listed in (("messaging_message", "true"), ("messaging_shortlink", "clicked_at IS NOT NULL")):
        run(
            f"UPDATE {table} SET contact_id = %(contact)s WHERE organization_id = %(organization)s"
            f" AND phone = ANY(%(phones)s::text[]) AND contact_id = %(former)s AND {listed}",
            values,
        )
