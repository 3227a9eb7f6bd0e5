from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models

from accounts.rules.permissions import Role, StaffRole
from common.tenancy import TenantModel


def _choices(enum: Any) -> list[tuple[str, str]]:
    return [(member.value, member.value.replace("_", " ").capitalize()) for member in enum]


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    """A person who signs in; a member of one or more organizations, or staff of the platform. No organization."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, blank=True)
    is_active = models.BooleanField(default=True)
    staff_role = models.CharField(max_length=20, blank=True, choices=_choices(StaffRole))
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()

    def __str__(self) -> str:
        return self.name or self.email


STOP_SCOPES = [
    ("ALL", "All your texts"),
    ("ASK", "All your texts; the confirmation asks whether only one program was meant"),
    ("PROGRAM", "The program of the last text; STOPALL stops everything"),
]


class Organization(models.Model):
    """The tenant. Visible to itself and to the platform (row-level security on its own id)."""

    name = models.CharField(max_length=120)
    time_zone = models.CharField(max_length=64, default="America/New_York", help_text="IANA name")
    default_country = models.CharField(max_length=2, default="US", help_text="completes national numbers")
    campaigns_enabled = models.BooleanField(default=True)
    message_char_limit = models.PositiveSmallIntegerField(default=600)
    opt_out_word = models.CharField(max_length=40, default="STOP", help_text="where a campaign has no word of its own")
    stop_scope = models.CharField(
        max_length=7, choices=STOP_SCOPES, default="ALL", db_default="ALL", help_text="what a texted STOP stops"
    )
    link_domain = models.CharField(max_length=200, blank=True, help_text="host of its short links; empty: ours")
    approval_above = models.PositiveIntegerField(
        null=True, help_text="recipients above which a second person approves; empty: never"
    )
    duplicate_window_hours = models.PositiveSmallIntegerField(default=12, help_text="0 switches it off (staff)")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(message_char_limit__gte=1, message_char_limit__lte=1600), name="char_limit_to_1600"
            ),
            models.UniqueConstraint(
                fields=["link_domain"], name="link_domain_of_one", condition=~models.Q(link_domain="")
            ),
        ]

    def __str__(self) -> str:
        return self.name


class BlackoutDate(TenantModel):
    """A day, in the recipient's own zone, on which the organization sends no promotional texts."""

    day = models.DateField()
    name = models.CharField(max_length=60, blank=True, help_text="such as Thanksgiving")

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["organization", "day"], name="day_off_once")]

    def __str__(self) -> str:
        return self.name or self.day.isoformat()


class Department(TenantModel):
    """A part of an organization (a store, a team): owns numbers and their inbox."""

    name = models.CharField(max_length=120)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="department_named_once")]

    def __str__(self) -> str:
        return self.name


class Membership(TenantModel):
    """What a person is in an organization."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=20, choices=_choices(Role))
    # Empty: every department.
    departments = models.ManyToManyField(Department, related_name="+", through="MembershipDepartment")
    contact_columns = models.JSONField(default=list, db_default=[], help_text="of the table of contacts, as they chose")
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["organization", "user"], name="member_once"),
            models.CheckConstraint(condition=models.Q(role__in=[role.value for role in Role]), name="role_known"),
        ]


class MembershipDepartment(TenantModel):
    """A department that a member works in."""

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    department = models.ForeignKey(Department, on_delete=models.CASCADE, related_name="+", db_constraint=False)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["membership", "department"], name="member_in_department_once")]


class VerifiedPhone(TenantModel):
    """A person's own phone, proven by a code that was texted to it: where tests go."""

    user_id = models.BigIntegerField()
    phone = models.CharField(max_length=16)
    code_digest = models.CharField(max_length=64, blank=True)
    codes_sent = models.PositiveSmallIntegerField(default=0, help_text="on the day of the newest")
    tries = models.PositiveSmallIntegerField(default=0, help_text="of the newest code")
    sent_at = models.DateTimeField()
    verified_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["organization", "user_id"], name="one_phone_of_a_person")]


class Notice(TenantModel):
    """Something that the people of an organization should know of, until one of them puts it away."""

    class Tone(models.TextChoices):
        GOOD = "success", "Good"
        TO_DO = "warning", "To do"

    tone = models.CharField(max_length=7, choices=Tone.choices)
    text = models.CharField(max_length=300)
    url = models.CharField(max_length=200, blank=True, help_text="where to do something about it")
    permission = models.CharField(max_length=40, help_text="for whom: those who may do this")
    created_at = models.DateTimeField()
    dismissed_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        indexes = [
            models.Index(fields=["organization", "-id"], name="open_notices", condition=models.Q(dismissed_at=None))
        ]


class AuditEvent(TenantModel):
    """Who did what, when; append-only. `action` is `noun.past_participle`."""

    action = models.CharField(max_length=60)
    subject = models.CharField(max_length=80, help_text="what it was done to, as `model:id`")
    facts = models.JSONField(default=dict)
    actor_label = models.CharField(max_length=160)
    actor_user_id = models.BigIntegerField(null=True)
    occurred_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        indexes = [models.Index(fields=["organization", "-occurred_at"], name="audit_newest_first")]
