import django.db.models.deletion
from django.db import migrations, models

import messaging.rules.states
from common.tenancy import TenantPolicy


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_notice"),
        ("messaging", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="SpeedSample",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("stream_id", models.BigIntegerField()),
                ("sampled_at", models.DateTimeField()),
                ("segments", models.IntegerField()),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(
                    ("campaign_id__isnull", False),
                    (
                        "state__in",
                        [
                            messaging.rules.states.State["FAILED"],
                            messaging.rules.states.State["NO_RECEIPT"],
                            messaging.rules.states.State["SKIPPED"],
                            messaging.rules.states.State["UNCONFIRMED"],
                            messaging.rules.states.State["UNDELIVERED"],
                            messaging.rules.states.State["UNKNOWN"],
                        ],
                    ),
                ),
                fields=["campaign_id", "state", "error_code", "reason", "phone"],
                name="message_in_trouble",
            ),
        ),
        migrations.AddField(
            model_name="speedsample",
            name="organization",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.organization",
            ),
        ),
        migrations.AddIndex(
            model_name="speedsample",
            index=models.Index(fields=["stream_id", "sampled_at"], name="speed_of_stream"),
        ),
        TenantPolicy("messaging_speedsample"),
    ]
