import django.db.models.deletion
from django.db import migrations, models

from common.tenancy import PlatformPolicy, TenantPolicy


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0009_spikes"),
    ]

    operations = [
        # Counted by source from now on. What was counted within the last minutes begins anew.
        migrations.DeleteModel(name="AnswerCount"),
        migrations.CreateModel(
            name="DispatchGuard",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("system_identifier", models.BigIntegerField()),
                ("timeline", models.IntegerField()),
                ("cleared_at", models.DateTimeField(help_text="what the carriers list up to then has been read")),
                ("locked_for", models.CharField(blank=True, max_length=200)),
                ("locked_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="one_dispatch_guard")],
            },
        ),
        migrations.CreateModel(
            name="AnswerCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(max_length=60)),
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
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "source", "span"), name="answers_counted_once")
                ],
            },
        ),
        TenantPolicy("messaging_answercount"),
        PlatformPolicy("messaging_dispatchguard"),
    ]
