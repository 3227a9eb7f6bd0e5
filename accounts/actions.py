"""Opening organizations, members, and the audit log that every other action writes to."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.http.request import validate_host
from django.utils.crypto import salted_hmac

from accounts.models import AuditEvent, BlackoutDate, Department, Membership, Notice, Organization, User, VerifiedPhone
from accounts.queries import Member, current_organization, days_off, open_notices
from accounts.rules.permissions import Permission, Role, StaffRole, allows
from common.actor import Actor
from common.errors import DomainError
from common.tenancy import across_organizations, current_organization_id, organization_scope

MAIN_DEPARTMENT = "Main"


class UnknownTimeZone(DomainError):
    code = "unknown_time_zone"


def create_organization(
    *, name: str, owner: User, now: datetime, time_zone: str = "America/New_York", default_country: str = "US"
) -> Organization:
    """Create a tenant with its first department and its owner. Raises UnknownTimeZone."""
    if time_zone not in available_timezones():
        raise UnknownTimeZone(f"“{time_zone}” is not a time zone. Choose one such as “{ZoneInfo('America/New_York')}”.")
    with across_organizations(because="a tenant that does not exist yet has no scope"):
        organization = Organization.objects.create(
            name=name, time_zone=time_zone, default_country=default_country, created_at=now
        )
        with organization_scope(organization.id):
            Department.objects.create(organization=organization, name=MAIN_DEPARTMENT)
            Membership.objects.create(organization=organization, user=owner, role=Role.OWNER, created_at=now)
            audit(
                action="organization.created",
                subject=organization,
                actor=Actor(label=str(owner), user_id=owner.id),
                now=now,
            )
    return organization


def set_staff_role(*, email: str, role: StaffRole | None) -> None:
    """Make a person staff of the platform, or end it. Raises User.DoesNotExist."""
    user = User.objects.get(email=email.lower())
    user.staff_role = role or ""
    user.save(update_fields=["staff_role"])


def notify(*, tone: Notice.Tone, text: str, permission: Permission, now: datetime, url: str = "") -> None:
    """Tell everybody in the organization who may do what `permission` says; `url` is where something can be done."""
    Notice.objects.create(
        organization_id=current_organization_id(),
        tone=tone,
        text=text[:300],
        url=url,
        permission=permission,
        created_at=now,
    )


def dismiss_notice(notice_id: int, *, member: Member, now: datetime) -> None:
    """Put a notice away for everybody, where the member may act on it; a second click changes nothing."""
    open_notices(member).filter(id=notice_id).update(dismissed_at=now)


def dismiss_notices_of(url: str, *, now: datetime) -> None:
    """What notices of an address asked for is done, or wanted no more."""
    Notice.objects.filter(url=url, dismissed_at=None).update(dismissed_at=now)


class SettingRefused(DomainError):
    """Not as it is. `facts["field"]` names what to change."""

    code = "setting_refused"


@dataclass(frozen=True, slots=True)
class Settings:
    """What an organization decides about its texts. `approval_above` None: nobody needs a second person."""

    message_char_limit: int
    opt_out_word: str
    approval_above: int | None
    stop_scope: str = "ALL"


def change_settings(wanted: Settings, *, actor: Actor, now: datetime) -> None:
    """Write the settings of the organization in scope. Raises SettingRefused."""
    if not 1 <= wanted.message_char_limit <= LONGEST_TEXT:
        raise SettingRefused(f"Choose between 1 and {LONGEST_TEXT:,} characters.", field="message_char_limit")
    organization = Organization.objects.select_for_update(no_key=True).get(id=current_organization_id())
    before, after = organization.approval_above, wanted.approval_above
    if after not in (None, before) and Membership.objects.filter(role__in=SENDERS).count() < 2:
        raise SettingRefused(
            "Nobody else here could approve: only you may send campaigns. Add a colleague first.",
            field="approval_above",
        )
    laxer = before is not None and (after is None or after > before)
    if laxer and not Membership.objects.filter(user_id=actor.user_id or 0, role=Role.OWNER).exists():
        raise SettingRefused(
            "Only the owner can let campaigns go without a second person. Ask the owner.", field="approval_above"
        )
    changes = {name: value for name, value in asdict(wanted).items() if getattr(organization, name) != value}
    for name, value in changes.items():
        setattr(organization, name, value)
    if changes:
        organization.save(update_fields=list(changes))
        audit(action="organization.settings_changed", subject=organization, actor=actor, now=now, **changes)


FURTHEST_DAY_OFF = timedelta(days=730)
MOST_DAYS_OFF = 100


def choose_columns(columns: Sequence[str], *, user_id: int) -> None:
    """What the table of contacts shows this person from now on; none: the usual."""
    Membership.objects.filter(user_id=user_id).update(contact_columns=list(columns))


def add_day_off(day: date, *, name: str, actor: Actor, now: datetime) -> BlackoutDate:
    """Send no promotional texts on that day of the recipient. Twice changes nothing. Raises SettingRefused."""
    today = now.astimezone(ZoneInfo(current_organization().time_zone)).date()
    known = days_off(since=today)
    if not today <= day <= today + FURTHEST_DAY_OFF:
        raise SettingRefused("Choose a day from today on, within the next two years.", field="day")
    if len(known) >= MOST_DAYS_OFF and day not in [one.day for one in known]:
        raise SettingRefused(f"There are {MOST_DAYS_OFF} days already. Remove one first.", field="day")
    added, fresh = BlackoutDate.objects.get_or_create(
        organization_id=current_organization_id(), day=day, defaults={"name": name}
    )
    found: BlackoutDate = added
    if fresh:
        audit(action="organization.day_off_added", subject=found, actor=actor, now=now, day=day.isoformat())
    return found


def remove_day_off(day_id: int, *, actor: Actor, now: datetime) -> None:
    """Send promotional texts on that day again. One that is gone already changes nothing."""
    for found in BlackoutDate.objects.filter(id=day_id):
        audit(action="organization.day_off_removed", subject=found, actor=actor, now=now, day=found.day.isoformat())
        found.delete()


def set_link_domain(domain: str, *, actor: Actor, now: datetime) -> None:
    """Begin the short links of the organization in scope with a host of its own; "": with ours. Raises SettingRefused.

    Links that were sent already go on leading somewhere as long as their host is answered.
    """
    domain = domain.strip().lower()
    if domain and not _HOST.fullmatch(domain):
        raise SettingRefused(f"“{domain}” is not a host such as go.example.org.", field="link_domain")
    if domain and not validate_host(domain, settings.ALLOWED_HOSTS):
        raise SettingRefused(f"Add {domain} to ALLOWED_HOSTS first: until then nobody answers there.")
    try:
        with transaction.atomic():
            Organization.objects.filter(id=current_organization_id()).update(link_domain=domain)
    except IntegrityError as error:
        raise SettingRefused(f"{domain} is another organization's. Each has its own.", field="link_domain") from error
    organization = Organization.objects.get(id=current_organization_id())
    audit(action="organization.link_domain_set", subject=organization, actor=actor, now=now, domain=domain)


_HOST = re.compile(r"(?=.{4,200}\Z)(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]{2,}")
LONGEST_TEXT = 1_600
SENDERS = [role.value for role in Role if allows(role, Permission.CAMPAIGNS_CREATE)]


def audit(*, action: str, subject: models.Model, actor: Actor, now: datetime, **facts: Any) -> None:
    """Note in the tenant's audit log that `actor` did this; call it in the transaction of what was done."""
    AuditEvent.objects.create(
        organization_id=current_organization_id(),
        action=action,
        subject=f"{subject._meta.model_name}:{subject.pk}",
        facts=facts,
        actor_label=actor.label,
        actor_user_id=actor.user_id,
        occurred_at=now,
    )


class PhoneNotVerified(DomainError):
    """The code does not prove it. `facts["field"]` names what to change."""

    code = "phone_not_verified"


CODES_A_DAY = 3
TRIES = 5
DOUBLE_CLICK = timedelta(seconds=10)
CODE_LIFETIME = timedelta(minutes=15)


def begin_verification(phone: str, *, actor: Actor, now: datetime) -> str:
    """Note a phone that a person says is theirs; the code that must be texted to it, or "" where that was just done.

    Raises PhoneNotVerified.
    """
    if actor.user_id is None:
        raise PhoneNotVerified("Only a person has a phone.", field="phone")
    known = VerifiedPhone.objects.select_for_update().filter(user_id=actor.user_id).first()
    if known is not None and known.phone == phone and known.code_digest and now - known.sent_at < DOUBLE_CLICK:
        return ""  # the second click: the code is on its way
    sent_today = known.codes_sent if known is not None and now - known.sent_at < timedelta(days=1) else 0
    if sent_today >= CODES_A_DAY:
        raise PhoneNotVerified(
            f"{CODES_A_DAY} codes were sent today. Use the newest, or come back tomorrow.", field="phone"
        )
    code = f"{secrets.randbelow(1_000_000):06}"
    VerifiedPhone.objects.update_or_create(
        organization_id=current_organization_id(),
        user_id=actor.user_id,
        defaults={
            "phone": phone,
            "code_digest": _digest_of_code(phone, code),
            "codes_sent": sent_today + 1,
            "tries": 0,
            "sent_at": now,
            "verified_at": None,
        },
    )
    return code


def verify_phone(code: str, *, actor: Actor, now: datetime) -> bool:
    """Whether the code proves the phone; the try is counted. Raises PhoneNotVerified where trying is over."""
    known = VerifiedPhone.objects.select_for_update().filter(user_id=actor.user_id or 0).first()
    if known is None or now - known.sent_at > CODE_LIFETIME or known.tries >= TRIES:
        raise PhoneNotVerified("This code is used up or too old. Have a new one sent.", field="code")
    known.tries += 1
    if secrets.compare_digest(known.code_digest, _digest_of_code(known.phone, code.strip())):
        known.verified_at, known.code_digest, known.tries = now, "", TRIES
        audit(action="phone.verified", subject=known, actor=actor, now=now)
    known.save()
    return known.verified_at is not None


def forget_phone(*, actor: Actor) -> None:
    """A person wants another phone for tests; how many codes were sent today stays known."""
    VerifiedPhone.objects.filter(user_id=actor.user_id or 0).update(verified_at=None, code_digest="", tries=TRIES)


def _digest_of_code(phone: str, code: str) -> str:
    return salted_hmac("verified-phone", f"{phone}:{code}").hexdigest()
