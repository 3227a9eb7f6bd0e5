import django.db.models.deletion
from django.db import migrations, models

from common.tenancy import TenantPolicy, TenantReferences


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_days_off"),
        ("contacts", "0006_found_contacts"),
        ("content", "0004_jobs_that_go_on"),
    ]

    operations = [
        migrations.CreateModel(
            name="Export",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("format", models.CharField(choices=[("CSV", "CSV"), ("XLSX", "Excel (XLSX)")], max_length=4)),
                ("search", models.CharField(blank=True, max_length=200)),
                ("people", models.BigIntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                (
                    "contact_list",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="contacts.contactlist",
                    ),
                ),
                (
                    "file",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="content.storedfile",
                    ),
                ),
                (
                    "job",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="content.job",
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
            },
        ),
        TenantPolicy("contacts_export"),
        TenantReferences(
            ("contacts_export", "job_id", "content_job"),
            ("contacts_export", "contact_list_id", "contacts_contactlist"),
            ("contacts_export", "file_id", "content_storedfile"),
        ),
    ]
