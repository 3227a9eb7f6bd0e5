import time
from datetime import timedelta

from celery import shared_task

from accounts.queries import organization_ids
from common.clock import now
from common.tenancy import organization_scope
from consent.actions import check_ledger, links_of, note_links, programs_to_look_at, seal_organization
from consent.gateways.heads import export_leaves, export_links, exported_links
from consent.gateways.pages import PageRefused, read_page
from consent.queries import links_to_export, packed_leaves

SEAL_SECONDS = 4.0
LINKS_HOLD_FOR = timedelta(days=7)


@shared_task(name="consent.seal")
def seal() -> None:
    """Append what has come since the last time to every organization's chain, by turns."""
    ends = time.monotonic() + SEAL_SECONDS
    waiting = list(organization_ids())
    while waiting and time.monotonic() < ends:
        waiting = [organization_id for organization_id in waiting if _seal(organization_id)]


def _seal(organization_id: int) -> bool:
    with organization_scope(organization_id):
        return seal_organization(now=now())


@shared_task(name="consent.export_heads")
def export_heads() -> None:
    """Write the new links of every chain to files outside the database."""
    for organization_id in organization_ids():
        last = max((link.sequence for link in exported_links(organization_id)), default=0)
        while True:
            with organization_scope(organization_id):
                links = links_to_export(last)
            if not links:
                break
            for link, many in links:
                if many:
                    with organization_scope(organization_id):
                        export_leaves(organization_id, link.sequence, packed_leaves(link.sequence))
            export_links(organization_id, [link for link, _ in links])
            last = links[-1][0].sequence


@shared_task(name="consent.verify")
def verify_chains() -> None:
    """Have every organization's chain walked from its first link: what is wrong with one keeps none of the others."""
    for organization_id in organization_ids():
        verify_chain.delay(organization_id)


@shared_task(name="consent.verify_chain")
def verify_chain(organization_id: int) -> None:
    with organization_scope(organization_id):
        check_ledger(now=now())


@shared_task(name="consent.check_links", time_limit=60)
def check_links(organization_id: int, program_id: int) -> None:
    """Look at the terms and the privacy policy of a program; no scope is open while the pages are read."""
    with organization_scope(organization_id):
        links = links_of(program_id)
    pages, troubles = {}, {}
    for what, url in links.items():
        if url:
            try:
                pages[what] = read_page(url)
            except PageRefused as error:
                troubles[what] = str(error)
    with organization_scope(organization_id):
        note_links(program_id, links=links, pages=pages, troubles=troubles, now=now())


@shared_task(name="consent.look_again")
def look_again() -> None:
    """Have the pages of programs looked at that were last looked at a week ago."""
    for organization_id in organization_ids():
        with organization_scope(organization_id):
            waiting = programs_to_look_at(before=now() - LINKS_HOLD_FOR)
        for program_id in waiting:
            check_links.delay(organization_id, program_id)
