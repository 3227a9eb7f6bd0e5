"""The rows of an import, thousands at a time: read apart from the database, and written by what kind of file it is."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from itertools import islice
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

from accounts.queries import current_organization
from common.actor import Actor
from common.clock import now as clock_now
from common.tenancy import organization_scope
from consent.actions import Wish, grant_by_import, opt_out_by_file
from contacts.actions.error_file import ErrorFile
from contacts.actions.writing import taken_among, write_apart, write_people
from contacts.models import Existing, Import
from contacts.rules.files import Row, UnreadableFile
from contacts.rules.former import Agreed, Stopped
from contacts.rules.people import Fault, InvalidRow, Person, PersonReader
from content.actions import report_progress
from content.queries import UNDER_WAY

BATCH = 5_000

Read = TypeVar("Read")


@dataclass(slots=True)
class Batch(Generic[Read]):
    """Rows read: those that say something, and those that do not. `last` is the number of the last row."""

    last: int = 0
    good: list[tuple[Row, Read]] = field(default_factory=list)
    bad: list[tuple[Row, InvalidRow]] = field(default_factory=list)


def batches(rows: Iterator[Row], read: Callable[[Sequence[str]], Read]) -> Iterator[Batch[Read]]:
    """Raises UnreadableFile where the rows do, after the batch of those before."""
    for some in _by_batch(rows):
        batch: Batch[Read] = Batch(last=some[-1].number)
        for row in some:
            try:
                batch.good.append((row, read(row.fields)))
            except InvalidRow as error:
                batch.bad.append((row, error))
        yield batch


def write_persons(batch: Batch[Person], wanted: Import, *, now: datetime) -> frozenset[str]:
    """Contacts, or people of one campaign, and what the statement says of their consent.

    Returns the phones that are another person's work or other phone.
    """
    assert wanted.statement is not None
    unique: dict[str, Person] = {}
    for _, person in batch.good:
        unique.setdefault(person.phone, person)  # the first of a file counts
    existing, people = Existing(wanted.existing), list(unique.values())
    if existing is Existing.APART:
        written = write_apart(people, import_id=wanted.id)
    else:
        written = write_people(people, import_id=wanted.id, existing=existing, list_id=wanted.contact_list_id, now=now)
    fresh = [phone for phone in unique if phone not in written.seen and phone not in written.taken]
    granted = grant_by_import(wanted.statement, fresh, now=now)
    wanted.created += written.created
    wanted.updated += written.updated
    wanted.unchanged += written.unchanged
    taken = sum(person.phone in written.taken for _, person in batch.good)
    wanted.duplicates += len(batch.good) - taken - len(fresh)
    wanted.opted_out += granted.kept_opted_out
    wanted.withdrawn += granted.kept_withdrawn
    return written.taken


def stop_first(rows: Iterator[Row], wanted: Import, *, reader: PersonReader) -> None:
    """Whoever a file of contacts says has stopped is stopped before anything else of it is taken (F10).

    Opens a scope for each batch of rows; ends where somebody has asked to stop the import.
    """
    for some in _by_batch(rows):
        with organization_scope(wanted.organization_id):
            now, wishes = clock_now(), dict[str, Wish]()
            instant = _instants(now)
            # The import first, as everywhere: who asks to stop it, and another runner, wait here.
            locked = Import.objects.select_for_update(no_key=True, of=("self",)).select_related("job", "statement")
            current = locked.get(id=wanted.id)
            if current.job.state not in UNDER_WAY or current.cancel_asked_at is not None:
                return
            assert current.statement is not None
            for row in some:
                phones, said = reader.stop_in(row.fields)
                at = min(current.statement.agreed_at, now) if isinstance(said, bool) else instant(said)
                for phone in phones:
                    _keep_newest(wishes, Wish(phone, at, detail=wanted.file.name[:120]))
            if wishes:
                current.stopped += opt_out_by_file(list(wishes.values()), actor=_stated_by(wanted), now=now)
                current.save(update_fields=["stopped"])
            report_progress(current.job_id, done=0, now=now)


def _by_batch(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """Raises UnreadableFile where the rows do, after those before."""
    broken: UnreadableFile | None = None
    while broken is None:
        some: list[Row] = []
        try:
            some.extend(islice(rows, BATCH))  # what came before the break is there
        except UnreadableFile as error:
            broken = error
        if some:
            yield some
        elif broken is None:
            return
    raise broken


def write_opt_outs(batch: Batch[Stopped], wanted: Import, *, now: datetime) -> frozenset[str]:
    """Stop the phones; of several rows of one phone in a batch the newest counts, and the first in the file."""
    assert wanted.stopped_by is not None
    instant = _instants(now)
    newest: dict[str, Wish] = {}
    for _, row in batch.good:
        at = min(wanted.stopped_by, now) if row.since is None else instant(row.since)
        _keep_newest(newest, Wish(row.phone, at, detail=row.source))
    stopped = opt_out_by_file(list(newest.values()), actor=_stated_by(wanted), now=now)
    wanted.created += stopped
    wanted.unchanged += len(newest) - stopped
    wanted.duplicates += len(batch.good) - len(newest)
    return frozenset()


def _keep_newest(wishes: dict[str, Wish], wish: Wish) -> None:
    known = wishes.get(wish.phone)
    if known is None or wish.at > known.at:
        wishes[wish.phone] = wish


def write_consents(batch: Batch[Agreed], wanted: Import, *, now: datetime) -> frozenset[str]:
    """Note who agreed, when and how; what a later row says of a phone is noted where it is newer."""
    assert wanted.statement is not None
    newest: dict[str, Agreed] = {}
    for _, row in batch.good:
        if row.phone not in newest or row.on > newest[row.phone].on:
            newest[row.phone] = row
    zone = _zone()
    said = [(min(datetime.combine(row.on, time(), tzinfo=zone), now), row.medium) for row in newest.values()]
    granted = grant_by_import(wanted.statement, list(newest), own=said, now=now)
    wanted.created += granted.phones
    wanted.opted_out += granted.kept_opted_out
    wanted.withdrawn += granted.kept_withdrawn
    wanted.duplicates += len(batch.good) - granted.phones - granted.kept_opted_out - granted.kept_withdrawn
    return frozenset()


_TAKEN = "This is another person's work or other phone. Change it there first, or leave this row out."


def add_errors(errors: ErrorFile, batch: Batch[Any], *, taken: frozenset[str], phone_column: int) -> Counter[str]:
    """Note the rows that were left out, in their order; return how many for each reason."""
    bad = list(batch.bad)
    if taken:
        for row, person in batch.good:
            if person.phone in taken:
                bad.append((row, InvalidRow(Fault.TAKEN, phone_column, person.phone, _TAKEN)))
        bad.sort(key=lambda item: item[0].number)
    for row, error in bad:
        errors.add(row, error)
    return Counter(str(error.fault) for _, error in bad)


def taken_again(batch: Batch[Any], wanted: Import) -> frozenset[str]:
    """Of a batch that is written already: the phones that were left out as another person's."""
    if wanted.kind != Import.Kind.PEOPLE or wanted.existing == Existing.APART:
        return frozenset()
    return taken_among([person.phone for _, person in batch.good], import_id=wanted.id)


def _zone() -> ZoneInfo:
    return ZoneInfo(current_organization().time_zone)


def _instants(now: datetime) -> Callable[[date | datetime], datetime]:
    """The moment of a stop: the one that is named, else the end of the day where the organization is; never later than

    now. Who came back on that very day may have stopped after.
    """
    zone = _zone()

    def instant(said: date | datetime) -> datetime:
        if not isinstance(said, datetime):
            said = datetime.combine(said, time(23, 59, 59))
        return min(said if said.tzinfo else said.replace(tzinfo=zone), now)

    return instant


def _stated_by(wanted: Import) -> Actor:
    return Actor(label=f"file {wanted.file.name}"[:160])
