import django.db.models.deletion
from django.db import migrations, models

from common.tenancy import TenantPolicy


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_reviewed"),
        ("messaging", "0008_lean_recent_text"),
    ]

    operations = [
        migrations.CreateModel(
            name="CarrierOutage",
            fields=[
                ("carrier_account_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("since", models.DateTimeField()),
                (
                    "answer",
                    models.CharField(
                        help_text="what hand-overs come to: a word of gateways.base.Answer", max_length=14
                    ),
                ),
                ("seen_at", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name="stream",
            name="held_for",
            field=models.CharField(blank=True, help_text="the kind of error that paused it by itself", max_length=16),
        ),
        migrations.CreateModel(
            name="AnswerCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("stream_id", models.BigIntegerField()),
                ("span", models.DateTimeField()),
                ("answered", models.IntegerField()),
                ("refused", models.IntegerField()),
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
                "indexes": [models.Index(fields=["span"], name="answers_by_age")],
                "constraints": [models.UniqueConstraint(fields=("stream_id", "span"), name="answers_counted_once")],
            },
        ),
        TenantPolicy("messaging_answercount"),
    ]
