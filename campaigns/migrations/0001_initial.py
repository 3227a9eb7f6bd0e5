import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

from common.tenancy import TenantPolicy, TenantReferences


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("consent", "0001_initial"),
        ("senders", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Campaign",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                ("description", models.TextField(blank=True)),
                ("body", models.TextField()),
                ("opt_out_word", models.CharField(default="STOP", max_length=40)),
                (
                    "sending_hours",
                    models.JSONField(help_text="seven rows, Monday first: [opens, closes] in minutes, or null"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("DRAFT", "DRAFT"),
                            ("SCHEDULED", "SCHEDULED"),
                            ("SENDING", "SENDING"),
                            ("PAUSED", "PAUSED"),
                            ("COMPLETED", "COMPLETED"),
                            ("CANCELED", "CANCELED"),
                            ("FAILED", "FAILED"),
                        ],
                        default="DRAFT",
                        max_length=9,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("completed_at", models.DateTimeField(null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "program",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="consent.program",
                    ),
                ),
                (
                    "sender_number",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="senders.sendernumber",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="Outreach",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("everyone", models.BooleanField(default=True)),
                (
                    "list_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, size=None
                    ),
                ),
                ("phone_label", models.CharField(default="MOBILE", max_length=6)),
                ("starts_at", models.DateTimeField(help_text="empty: as soon as it is launched", null=True)),
                ("ends_at", models.DateTimeField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("DRAFT", "DRAFT"),
                            ("QUOTED", "QUOTED"),
                            ("SCHEDULED", "SCHEDULED"),
                            ("OPEN", "OPEN"),
                            ("PAUSED", "PAUSED"),
                            ("CLOSED", "CLOSED"),
                        ],
                        default="DRAFT",
                        max_length=9,
                    ),
                ),
                ("close_reason", models.CharField(blank=True, help_text="completed, canceled, ended", max_length=20)),
                ("quote_id", models.UUIDField(null=True)),
                ("quoted_at", models.DateTimeField(null=True)),
                ("recipients", models.BigIntegerField(default=0)),
                ("segments", models.BigIntegerField(default=0)),
                ("credits", models.BigIntegerField(default=0)),
                ("excluded", models.BigIntegerField(default=0)),
                (
                    "ceiling",
                    models.BigIntegerField(
                        help_text="credits above which a scheduled start does not happen", null=True
                    ),
                ),
                ("reservation_id", models.BigIntegerField(null=True)),
                ("launched_at", models.DateTimeField(null=True)),
                ("written_at", models.DateTimeField(help_text="when every message was in its stream", null=True)),
                ("settled_at", models.DateTimeField(help_text="when its reservation was closed", null=True)),
                (
                    "campaign",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="outreaches",
                        to="campaigns.campaign",
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
            },
        ),
        migrations.CreateModel(
            name="QuoteChunk",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("quote_id", models.UUIDField()),
                ("sequence", models.PositiveIntegerField()),
                (
                    "contact_ids",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None),
                ),
                (
                    "phones",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=16), size=None),
                ),
                ("credits", django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=None)),
                ("segments", django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=None)),
                ("digests", django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                ("written_at", models.DateTimeField(null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "outreach",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="chunks",
                        to="campaigns.outreach",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.AddIndex(
            model_name="campaign",
            index=models.Index(fields=["organization", "-id"], name="campaigns_newest_first"),
        ),
        migrations.AddIndex(
            model_name="outreach",
            index=models.Index(
                condition=models.Q(("quote_id__isnull", False), ("settled_at", None)),
                fields=["id"],
                name="outreach_under_way",
            ),
        ),
        migrations.AddConstraint(
            model_name="outreach",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("starts_at", None), ("ends_at", None), ("starts_at__lt", models.F("ends_at")), _connector="OR"
                ),
                name="starts_before_end",
            ),
        ),
        migrations.AddConstraint(
            model_name="quotechunk",
            constraint=models.UniqueConstraint(fields=("outreach", "quote_id", "sequence"), name="chunk_once"),
        ),
        TenantPolicy("campaigns_campaign", "campaigns_outreach", "campaigns_quotechunk"),
        TenantReferences(
            ("campaigns_campaign", "program_id", "consent_program"),
            ("campaigns_campaign", "sender_number_id", "senders_sendernumber"),
            ("campaigns_outreach", "campaign_id", "campaigns_campaign"),
            ("campaigns_quotechunk", "outreach_id", "campaigns_outreach"),
        ),
    ]
