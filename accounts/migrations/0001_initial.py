import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from common.tenancy import AppendOnly, TenantPolicy, TenantReferences


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                ("email", models.EmailField(max_length=254, unique=True)),
                ("name", models.CharField(blank=True, max_length=120)),
                ("is_active", models.BooleanField(default=True)),
                (
                    "staff_role",
                    models.CharField(
                        blank=True, choices=[("REVIEWER", "Reviewer"), ("OPERATOR", "Operator")], max_length=20
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Department",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("OWNER", "Owner"),
                            ("ADMINISTRATOR", "Administrator"),
                            ("MANAGER", "Manager"),
                            ("AGENT", "Agent"),
                            ("VIEWER", "Viewer"),
                        ],
                        max_length=20,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="MembershipDepartment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "department",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.department",
                    ),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.membership",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.AddField(
            model_name="membership",
            name="departments",
            field=models.ManyToManyField(
                related_name="+", through="accounts.MembershipDepartment", to="accounts.department"
            ),
        ),
        migrations.CreateModel(
            name="Organization",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                ("time_zone", models.CharField(default="America/New_York", help_text="IANA name", max_length=64)),
                (
                    "default_country",
                    models.CharField(default="US", help_text="completes national numbers", max_length=2),
                ),
                ("campaigns_enabled", models.BooleanField(default=True)),
                ("message_char_limit", models.PositiveSmallIntegerField(default=600)),
                (
                    "duplicate_window_hours",
                    models.PositiveSmallIntegerField(default=12, help_text="0 switches it off (staff)"),
                ),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("message_char_limit__gte", 1), ("message_char_limit__lte", 1600)),
                        name="char_limit_to_1600",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="membershipdepartment",
            name="organization",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.organization",
            ),
        ),
        migrations.AddField(
            model_name="membership",
            name="organization",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.organization",
            ),
        ),
        migrations.AddField(
            model_name="department",
            name="organization",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.organization",
            ),
        ),
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("action", models.CharField(max_length=60)),
                ("subject", models.CharField(help_text="what it was done to, as `model:id`", max_length=80)),
                ("facts", models.JSONField(default=dict)),
                ("actor_label", models.CharField(max_length=160)),
                ("actor_user_id", models.BigIntegerField(null=True)),
                ("occurred_at", models.DateTimeField()),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.AddConstraint(
            model_name="membershipdepartment",
            constraint=models.UniqueConstraint(fields=("membership", "department"), name="member_in_department_once"),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.UniqueConstraint(fields=("organization", "user"), name="member_once"),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.CheckConstraint(
                condition=models.Q(("role__in", ["OWNER", "ADMINISTRATOR", "MANAGER", "AGENT", "VIEWER"])),
                name="role_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="department",
            constraint=models.UniqueConstraint(fields=("organization", "name"), name="department_named_once"),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["organization", "-occurred_at"], name="audit_newest_first"),
        ),
        TenantPolicy(
            "accounts_department", "accounts_membership", "accounts_membershipdepartment", "accounts_auditevent"
        ),
        TenantPolicy("accounts_organization", column="id"),
        AppendOnly("accounts_auditevent"),
        TenantReferences(
            ("accounts_membershipdepartment", "membership_id", "accounts_membership"),
            ("accounts_membershipdepartment", "department_id", "accounts_department"),
        ),
    ]
