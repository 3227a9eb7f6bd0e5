import django.db.models.deletion
from django.db import migrations, models

from common.tenancy import TenantPolicy


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Exclusion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("outreach_id", models.BigIntegerField()),
                (
                    "quote_id",
                    models.UUIDField(help_text="which quote left them out: a new one replaces the old one whole"),
                ),
                ("contact_id", models.BigIntegerField()),
                ("phone", models.CharField(blank=True, max_length=16)),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("no_phone", "no_phone"),
                            ("not_textable", "not_textable"),
                            ("opted_out", "opted_out"),
                            ("no_consent", "no_consent"),
                            ("in_other_outreach", "in_other_outreach"),
                            ("too_long", "too_long"),
                            ("missing_value", "missing_value"),
                            ("no_lawful_hour", "no_lawful_hour"),
                            ("outside_period", "outside_period"),
                            ("changed", "changed"),
                            ("not_reached", "not_reached"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "detail",
                    models.CharField(
                        blank=True, help_text="the tag without a value, the length reached", max_length=120
                    ),
                ),
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
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(fields=("outreach_id", "quote_id", "contact_id"), name="left_out_once")
                ],
            },
        ),
        TenantPolicy("audiences_exclusion"),
    ]
