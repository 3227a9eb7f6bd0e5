import django.db.models.deletion
from django.db import migrations, models

from common.tenancy import TenantPolicy


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_words"),
    ]

    operations = [
        migrations.CreateModel(
            name="VerifiedPhone",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("user_id", models.BigIntegerField()),
                ("phone", models.CharField(max_length=16)),
                ("code_digest", models.CharField(blank=True, max_length=64)),
                ("codes_sent", models.PositiveSmallIntegerField(default=0, help_text="on the day of the newest")),
                ("tries", models.PositiveSmallIntegerField(default=0, help_text="of the newest code")),
                ("sent_at", models.DateTimeField()),
                ("verified_at", models.DateTimeField(null=True)),
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
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "user_id"), name="one_phone_of_a_person")
                ],
            },
        ),
        TenantPolicy("accounts_verifiedphone"),
    ]
