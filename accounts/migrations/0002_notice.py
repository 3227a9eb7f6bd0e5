import django.db.models.deletion
from django.db import migrations, models

from common.tenancy import TenantPolicy


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("tone", models.CharField(choices=[("success", "Good"), ("warning", "To do")], max_length=7)),
                ("text", models.CharField(max_length=300)),
                ("url", models.CharField(blank=True, help_text="where to do something about it", max_length=200)),
                ("permission", models.CharField(help_text="for whom: those who may do this", max_length=40)),
                ("created_at", models.DateTimeField()),
                ("dismissed_at", models.DateTimeField(null=True)),
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
                "indexes": [
                    models.Index(
                        condition=models.Q(("dismissed_at", None)), fields=["organization", "-id"], name="open_notices"
                    )
                ],
            },
        ),
        TenantPolicy("accounts_notice"),
    ]
