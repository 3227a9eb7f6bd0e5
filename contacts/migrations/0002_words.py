import django.db.models.deletion
from django.db import migrations, models

from common.tenancy import TenantPolicy


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_words"),
        ("contacts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="CustomField",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=40)),
                ("name", models.CharField(max_length=80)),
                ("created_at", models.DateTimeField()),
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
                "constraints": [models.UniqueConstraint(fields=("organization", "key"), name="custom_field_once")],
            },
        ),
        TenantPolicy("contacts_customfield"),
    ]
