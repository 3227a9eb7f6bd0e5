import django.db.models.deletion
from django.db import migrations, models

from common.tenancy import TenantPolicy, TenantReferences


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("senders", "0001_initial"),
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Conversation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sender_number_id", models.BigIntegerField()),
                ("phone", models.CharField(max_length=16)),
                ("last_text", models.TextField()),
                ("last_received_at", models.DateTimeField()),
                ("unread", models.PositiveIntegerField(default=0)),
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
                    models.Index(fields=["organization", "-last_received_at"], name="conversations_newest_first")
                ],
                "constraints": [models.UniqueConstraint(fields=("sender_number_id", "phone"), name="one_conversation")],
            },
        ),
        TenantPolicy("inbox_conversation"),
        TenantReferences(
            ("inbox_conversation", "sender_number_id", "senders_sendernumber"),
        ),
    ]
