import django.db.models.deletion
from django.db import migrations, models

from common.tenancy import TenantPolicy


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_days_off"),
        ("audiences", "0002_reasons"),
    ]

    operations = [
        migrations.CreateModel(
            name="TargetGroup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                ("conditions", models.JSONField()),
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
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "name"), name="target_group_named_once")
                ],
            },
        ),
        TenantPolicy("audiences_targetgroup"),
    ]
