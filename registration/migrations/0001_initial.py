import django.db.models.deletion
from django.db import migrations, models

from common.tenancy import AppendOnly, TenantPolicy, TenantReferences


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("senders", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Registration",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("DRAFT", "Draft"),
                            ("SUBMITTED", "Submitted"),
                            ("IN_REVIEW", "In review"),
                            ("CHANGES_REQUESTED", "Changes requested"),
                            ("SENT_TO_CARRIER", "With the carrier"),
                            ("APPROVED", "Approved"),
                            ("REJECTED", "Rejected"),
                        ],
                        default="DRAFT",
                        max_length=18,
                    ),
                ),
                ("use_case", models.TextField()),
                ("sample_text", models.TextField()),
                ("opt_in_type", models.CharField(max_length=20)),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
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
            name="ReviewEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("DRAFT", "Draft"),
                            ("SUBMITTED", "Submitted"),
                            ("IN_REVIEW", "In review"),
                            ("CHANGES_REQUESTED", "Changes requested"),
                            ("SENT_TO_CARRIER", "With the carrier"),
                            ("APPROVED", "Approved"),
                            ("REJECTED", "Rejected"),
                        ],
                        max_length=18,
                    ),
                ),
                ("note", models.TextField(blank=True)),
                ("actor_label", models.CharField(max_length=160)),
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
                (
                    "registration",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="steps",
                        to="registration.registration",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.AddConstraint(
            model_name="registration",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["APPROVED"]), _negated=True),
                fields=("sender_number",),
                name="one_open_registration",
            ),
        ),
        TenantPolicy("registration_registration", "registration_reviewevent"),
        AppendOnly("registration_reviewevent"),
        TenantReferences(
            ("registration_registration", "sender_number_id", "senders_sendernumber"),
            ("registration_reviewevent", "registration_id", "registration_registration"),
        ),
    ]
