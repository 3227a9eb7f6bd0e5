import datetime

import django.db.models.deletion
from django.db import migrations, models

from common.tenancy import AppendOnly, TenantPolicy, TenantReferences

PLANS = (
    # code, name, basis, credits a month, price of each further one in micros (product.md A5, D6, E5)
    ("personal", "Personal", "MESSAGE", 50, 40_000),
    ("unlimited", "Unlimited", "MESSAGE", 500, 40_000),
    ("pro", "Pro", "MESSAGE", 1000, 40_000),
    ("metered", "Metered", "SEGMENT", 0, 40_000),
)


def write_plans(apps, schema_editor):
    plan = apps.get_model("billing", "Plan")
    for code, name, basis, monthly_credits, price_micros in PLANS:
        plan.objects.using(schema_editor.connection.alias).create(
            code=code,
            name=name,
            basis=basis,
            monthly_credits=monthly_credits,
            price_micros=price_micros,
            effective_on=datetime.date(2026, 1, 1),
        )


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Plan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.SlugField(unique=True)),
                ("name", models.CharField(max_length=60)),
                ("basis", models.CharField(choices=[("MESSAGE", "message"), ("SEGMENT", "segment")], max_length=10)),
                ("monthly_credits", models.PositiveIntegerField(default=0)),
                ("price_micros", models.BigIntegerField(help_text="of one credit beyond those of the month")),
                ("effective_on", models.DateField()),
            ],
        ),
        migrations.CreateModel(
            name="CreditLot",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("PLAN", "Credits of the month"), ("PURCHASED", "Bought credits"), ("BONUS", "Bonus")],
                        max_length=10,
                    ),
                ),
                ("balance", models.BigIntegerField(default=0)),
                ("held", models.BigIntegerField(default=0)),
                ("expires_at", models.DateTimeField(null=True)),
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
            },
        ),
        migrations.CreateModel(
            name="CreditEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("GRANT", "Credits of the month"),
                            ("PURCHASE", "Bought"),
                            ("BONUS", "Bonus"),
                            ("RESERVE", "Held"),
                            ("CAPTURE", "Used"),
                            ("RELEASE", "Given back"),
                            ("REFUND", "Refund"),
                            ("ADJUST", "Adjustment"),
                            ("EXPIRE", "Expired"),
                            ("OVERAGE", "Beyond the plan"),
                        ],
                        max_length=10,
                    ),
                ),
                ("amount", models.BigIntegerField()),
                ("held", models.BigIntegerField()),
                ("reference", models.CharField(max_length=80)),
                ("idempotency_key", models.CharField(max_length=120)),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("actor_label", models.CharField(max_length=160)),
                ("occurred_at", models.DateTimeField()),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "lot",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="billing.creditlot",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="CreditAccount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("balance", models.BigIntegerField(default=0)),
                ("held", models.BigIntegerField(default=0)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="billing.plan"),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="Reservation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reference", models.CharField(max_length=80)),
                (
                    "state",
                    models.CharField(choices=[("OPEN", "Held"), ("CLOSED", "Closed")], default="OPEN", max_length=6),
                ),
                ("credits", models.BigIntegerField()),
                ("captured", models.BigIntegerField(default=0)),
                (
                    "posted",
                    models.BigIntegerField(
                        default=0, help_text="the part of captured that CAPTURE entries already hold"
                    ),
                ),
                ("sequence", models.PositiveIntegerField(default=0, help_text="of the last CAPTURE entry")),
                ("created_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
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
            },
        ),
        migrations.CreateModel(
            name="ReservationLot",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("credits", models.BigIntegerField()),
                ("posted", models.BigIntegerField(default=0)),
                (
                    "lot",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="billing.creditlot",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "reservation",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lots",
                        to="billing.reservation",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.AddConstraint(
            model_name="creditlot",
            constraint=models.CheckConstraint(
                condition=models.Q(("balance__gte", models.F("held")), ("held__gte", 0)), name="lot_never_overdrawn"
            ),
        ),
        migrations.AddIndex(
            model_name="creditentry",
            index=models.Index(fields=["organization", "-id"], name="entries_newest_first"),
        ),
        migrations.AddConstraint(
            model_name="creditentry",
            constraint=models.UniqueConstraint(fields=("organization", "idempotency_key"), name="entry_once"),
        ),
        migrations.AddConstraint(
            model_name="creditentry",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount", 0), ("held", 0), _negated=True), name="entry_moves_something"
            ),
        ),
        migrations.AddConstraint(
            model_name="creditentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "ADJUST"), _negated=True),
                    models.Q(("reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="adjustment_has_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="creditaccount",
            constraint=models.UniqueConstraint(fields=("organization",), name="one_credit_account"),
        ),
        migrations.AddConstraint(
            model_name="creditaccount",
            constraint=models.CheckConstraint(condition=models.Q(("held__gte", 0)), name="account_held_not_negative"),
        ),
        migrations.AddConstraint(
            model_name="creditaccount",
            constraint=models.CheckConstraint(
                condition=models.Q(("balance__gte", models.F("held"))), name="account_never_overdrawn"
            ),
        ),
        migrations.AddIndex(
            model_name="reservation",
            index=models.Index(
                condition=models.Q(("captured__gt", models.F("posted"))), fields=["id"], name="reservation_to_post"
            ),
        ),
        migrations.AddConstraint(
            model_name="reservation",
            constraint=models.UniqueConstraint(fields=("organization", "reference"), name="reserved_once"),
        ),
        migrations.AddConstraint(
            model_name="reservation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("captured__gte", models.F("posted")), ("credits__gte", models.F("captured")), ("posted__gte", 0)
                ),
                name="captured_within_reserved",
            ),
        ),
        migrations.AddConstraint(
            model_name="reservationlot",
            constraint=models.UniqueConstraint(fields=("reservation", "lot"), name="lot_once_in_reservation"),
        ),
        migrations.AddConstraint(
            model_name="reservationlot",
            constraint=models.CheckConstraint(
                condition=models.Q(("credits__gte", models.F("posted")), ("posted__gte", 0)), name="lot_posted_within"
            ),
        ),
        TenantPolicy(
            "billing_creditaccount",
            "billing_creditlot",
            "billing_reservation",
            "billing_reservationlot",
            "billing_creditentry",
        ),
        AppendOnly("billing_creditentry"),
        TenantReferences(
            ("billing_reservationlot", "reservation_id", "billing_reservation"),
            ("billing_reservationlot", "lot_id", "billing_creditlot"),
            ("billing_creditentry", "lot_id", "billing_creditlot"),
        ),
        migrations.RunPython(write_plans, migrations.RunPython.noop),
    ]
