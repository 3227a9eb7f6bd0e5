import django.db.models.deletion
from django.db import migrations, models

from common.tenancy import TenantPolicy, TenantReferences


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="CarrierAccount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "gateway",
                    models.CharField(
                        choices=[("TWILIO", "Twilio REST API"), ("NULL", "None (benchmarks)")], max_length=10
                    ),
                ),
                ("account_sid", models.CharField(max_length=64, unique=True)),
                ("auth_token", models.CharField(max_length=120)),
                ("base_url", models.URLField(default="https://api.twilio.com")),
                ("created_at", models.DateTimeField()),
                (
                    "organization",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SenderNumber",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sender", models.CharField(help_text="E.164, short code or name", max_length=16)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("TOLL_FREE", "Toll-free number"),
                            ("LOCAL", "Local number (10DLC)"),
                            ("SHORT_CODE", "Short code"),
                            ("ALPHANUMERIC", "Company name"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("UNREGISTERED", "Not registered"),
                            ("PENDING", "In review"),
                            ("REGISTERED", "Registered"),
                            ("REJECTED", "Rejected"),
                            ("SUSPENDED", "Suspended"),
                        ],
                        default="UNREGISTERED",
                        max_length=12,
                    ),
                ),
                (
                    "segments_per_second",
                    models.DecimalField(decimal_places=2, help_text="empty: no limit", max_digits=7, null=True),
                ),
                ("can_mms", models.BooleanField(default=False)),
                ("lane", models.PositiveSmallIntegerField()),
                ("created_at", models.DateTimeField()),
                (
                    "carrier_account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="senders.carrieraccount"
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.department",
                    ),
                ),
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
                "indexes": [models.Index(fields=["lane"], name="number_by_lane")],
                "constraints": [
                    models.UniqueConstraint(fields=("carrier_account", "sender"), name="sender_once_at_carrier"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("segments_per_second", None), ("segments_per_second__gt", 0), _connector="OR"
                        ),
                        name="rate_positive",
                    ),
                    models.CheckConstraint(condition=models.Q(("lane__lt", 256)), name="lane_in_range"),
                ],
            },
        ),
        TenantPolicy("senders_carrieraccount", "senders_sendernumber"),
        TenantReferences(
            ("senders_sendernumber", "department_id", "accounts_department"),
        ),
    ]
