import django.db.models.deletion
from django.db import migrations, models

from common.tenancy import TenantPolicy, TenantReferences


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_notice"),
        ("senders", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="NumberRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("TOLL_FREE", "Toll-free number"),
                            ("LOCAL", "Local number (10DLC)"),
                            ("SHORT_CODE", "Short code"),
                            ("ALPHANUMERIC", "Company name"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "wish",
                    models.CharField(blank=True, help_text="area code, ending, a number brought along", max_length=200),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("OPEN", "Asked for"), ("GIVEN", "Given"), ("DECLINED", "Declined")],
                        default="OPEN",
                        max_length=8,
                    ),
                ),
                (
                    "answer",
                    models.CharField(blank=True, help_text="in words of staff, where it was declined", max_length=200),
                ),
                ("requested_by", models.CharField(max_length=160)),
                ("created_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(null=True)),
                (
                    "department",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.department",
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
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "OPEN")), fields=("organization",), name="one_open_number_request"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "DECLINED"), _negated=True),
                            models.Q(("answer", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="declined_says_why",
                    ),
                ],
            },
        ),
        TenantPolicy("senders_numberrequest"),
        TenantReferences(("senders_numberrequest", "department_id", "accounts_department")),
    ]
