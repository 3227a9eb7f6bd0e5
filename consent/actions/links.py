"""The pages of a program: whether its terms and its privacy policy are there and say what they must."""

import contextlib
from collections.abc import Mapping
from datetime import datetime
from html.parser import HTMLParser

from celery import current_app
from django.db import transaction
from django.db.models import Q

from consent.models import Program
from consent.rules.disclosure import says_not_sold

TERMS, PRIVACY = "terms", "privacy"
NOT_SOLD = "We do not sell or share your mobile number or personal data with third parties for marketing."


def request_link_check(program: Program) -> None:
    """Have the pages of a program looked at, once this is committed."""
    arguments = [program.organization_id, program.id]
    transaction.on_commit(lambda: current_app.send_task("consent.check_links", arguments))


def programs_to_look_at(*, before: datetime) -> list[int]:
    """Programs of the organization in scope whose pages were last looked at before, or never."""
    old = Program.objects.filter(Q(links_checked_at=None) | Q(links_checked_at__lt=before)).order_by("id")
    return list(old.values_list("id", flat=True))


def links_of(program_id: int) -> dict[str, str]:
    """The addresses to look at, by what they are; empty where there is none."""
    program = Program.objects.get(id=program_id)
    return {TERMS: program.terms_url, PRIVACY: program.privacy_url}


def note_links(
    program_id: int, *, links: Mapping[str, str], pages: Mapping[str, str], troubles: Mapping[str, str], now: datetime
) -> None:
    """Write what was found at these links: `pages` are the texts that could be read, `troubles` why others could not.

    Nothing is written where the program names other pages by now.
    """
    names = {TERMS: "terms", PRIVACY: "privacy policy"}
    findings = []
    for what, name in names.items():
        if what in troubles:
            findings.append(f"The page of your {name} cannot be read: {troubles[what]}. Carriers look at it too.")
        elif what not in pages:
            findings.append(f"There is no address of your {name}. Carriers ask for it: add it to the program.")
    if PRIVACY in pages and not says_not_sold(_text(pages[PRIVACY])):
        findings.append(f"Your privacy policy does not say that data is not sold. Add: “{NOT_SOLD}”")
    still = Program.objects.filter(id=program_id, terms_url=links[TERMS], privacy_url=links[PRIVACY])
    still.update(links_checked_at=now, link_findings=findings)


class _Words(HTMLParser):
    """Collects what a reader sees of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._hidden += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("script", "style") and self._hidden > 0

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)


def _text(page: str) -> str:
    """The words of a page of HTML, as far as a search in them needs."""
    parser = _Words()
    with contextlib.suppress(AssertionError):  # a page may hold anything; what was read before it counts
        parser.feed(page)
    return " ".join(" ".join(parser.words).split())
