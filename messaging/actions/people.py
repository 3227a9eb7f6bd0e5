"""Whose texts they are, where two contacts become one."""

from collections.abc import Sequence

from common.sql import run
from common.tenancy import current_organization_id


def hand_over_texts(phones: Sequence[str], *, contact_id: int) -> None:
    """Let the texts and short links of these phones name another contact: lists of recipients show it then."""
    values = {"organization": current_organization_id(), "phones": list(phones), "contact": contact_id}
    for table in ("messaging_message", "messaging_shortlink"):
        run(
            f"UPDATE {table} SET contact_id = %(contact)s WHERE organization_id = %(organization)s"
            " AND phone = ANY(%(phones)s::text[]) AND contact_id <> %(contact)s",
            values,
        )
