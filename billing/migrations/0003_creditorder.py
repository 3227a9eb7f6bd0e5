import django.db.models.deletion
from django.db import migrations, models

from common.tenancy import TenantPolicy


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_notice"),
        ("billing", "0002_captures_in_time"),
    ]

    operations = [
        migrations.CreateModel(
            name="CreditOrder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("credits", models.PositiveIntegerField()),
                ("price_micros", models.BigIntegerField(help_text="of one credit")),
                (
                    "state",
                    models.CharField(
                        choices=[("OPEN", "Waiting for payment"), ("PAID", "Paid"), ("CANCELED", "Canceled")],
                        default="OPEN",
                        max_length=8,
                    ),
                ),
                ("ordered_by", models.CharField(max_length=160)),
                ("created_at", models.DateTimeField()),
                ("settled_at", models.DateTimeField(null=True)),
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
                "indexes": [models.Index(condition=models.Q(("state", "OPEN")), fields=["id"], name="orders_open")],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("credits__gt", 0)), name="order_of_some_credits")
                ],
            },
        ),
        TenantPolicy("billing_creditorder"),
    ]
