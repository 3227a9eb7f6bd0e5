"""The audiences of a campaign: whom they are for, what is still being read for them, where they are reviewed."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse

from audiences.models import TargetGroup
from campaigns.models import Campaign, Outreach
from campaigns.rules.states import UNCONFIRMED
from contacts.models import ContactList, Import
from content.models import Job
from content.queries import UNDER_WAY
from messaging.queries import (
    outcome_counts_of,
)
from messaging.rules.states import OPEN


@dataclass(frozen=True, slots=True)
class OutreachRow:
    """An audience of a campaign, in a table: whom, when, how far."""

    outreach: Outreach
    whom: str
    place: int
    done: int
    unconfirmed: bool
    reading: Import | None


def outreach_rows(campaign: Campaign) -> list[OutreachRow]:
    """The outreaches of a campaign, the first one first."""
    found = list(campaign.outreaches.order_by("id"))
    counts = outcome_counts_of([outreach.source for outreach in found])
    words, reading = whom_words(found), _being_read(found)
    return [
        OutreachRow(
            outreach,
            words[outreach.id],
            place,
            sum(part.messages for state, part in counts.get(outreach.source, {}).items() if state not in OPEN),
            outreach.state in UNCONFIRMED,
            reading.get(outreach.id),
        )
        for place, outreach in enumerate(found, 1)
    ]


def whom_words(outreaches: Sequence[Outreach]) -> dict[int, str]:
    """Whom outreaches are for, in words, by id."""
    lists = ContactList.objects.in_bulk({one for outreach in outreaches for one in outreach.list_ids})
    groups = TargetGroup.objects.in_bulk({one for outreach in outreaches for one in outreach.group_ids})
    files = Import.objects.select_related("file").in_bulk({one.import_id for one in outreaches if one.import_id})
    found = {}
    for outreach in outreaches:
        named = [str(lists[one]) for one in outreach.list_ids if one in lists]
        named += [str(groups[one]) for one in outreach.group_ids if one in groups]
        if outreach.import_id is not None and outreach.import_id in files:
            named.append(files[outreach.import_id].file.name)
        found[outreach.id] = "All contacts" if outreach.everyone else ", ".join(named) or "Nobody yet"
    return found


def uploads_of(campaign: Campaign | None) -> list[Import]:
    """The files of a campaign whose people became no contacts."""
    ids = campaign.upload_ids if campaign is not None else []
    return list(Import.objects.filter(id__in=ids, undo_job=None).select_related("file").order_by("id")) if ids else []


def file_being_read(outreach: Outreach) -> Import | None:
    """The import that is still bringing people of an outreach: a list or file of its audience."""
    return _being_read([outreach]).get(outreach.id)


def _being_read(outreaches: Sequence[Outreach]) -> dict[int, Import]:
    under_way = list(Import.objects.filter(job__state__in=UNDER_WAY).select_related("job", "file"))
    return {
        outreach.id: one
        for outreach in outreaches
        for one in under_way
        if not outreach.everyone and (one.id == outreach.import_id or one.contact_list_id in outreach.list_ids)
    }


def review_url(outreach: Outreach) -> str:
    """Where a quote is looked at: the first outreach's is the campaign's."""
    if outreach.campaign.outreaches.filter(id__lt=outreach.id).exists():
        return reverse("campaigns:outreach", args=[outreach.campaign_id, outreach.id])
    return reverse("campaigns:review", args=[outreach.campaign_id])


def newest_quote_job(outreach_id: int) -> Job | None:
    return Job.objects.filter(kind=f"quote:{outreach_id}").order_by("-id").first()


def outreach(outreach_id: int) -> Outreach:
    found: Outreach = Outreach.objects.select_related("campaign").get(id=outreach_id)
    return found
