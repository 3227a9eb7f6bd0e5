import django.db.models.deletion
from django.db import migrations, models

from common.tenancy import TenantPolicy


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_days_off"),
        ("contacts", "0008_shuffled"),
    ]

    operations = [
        migrations.AlterField(
            model_name="import",
            name="existing",
            field=models.CharField(
                choices=[
                    ("UPDATE", "Take over what the file says"),
                    ("FILL", "Fill in only what is empty"),
                    ("KEEP", "Leave them as they are"),
                    ("APART", "Nobody becomes a contact: only for a campaign"),
                ],
                db_default="UPDATE",
                default="UPDATE",
                max_length=6,
            ),
        ),
        migrations.CreateModel(
            name="ImportedPerson",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("import_id", models.BigIntegerField()),
                ("phone", models.CharField(max_length=16)),
                ("first_name", models.CharField(max_length=120)),
                ("last_name", models.CharField(max_length=120)),
                ("email", models.CharField(max_length=254)),
                ("company", models.CharField(max_length=200)),
                ("language", models.CharField(max_length=12)),
                ("city", models.CharField(max_length=120)),
                ("region", models.CharField(max_length=80)),
                ("postcode", models.CharField(max_length=20)),
                ("country", models.CharField(max_length=2)),
                ("time_zone", models.CharField(max_length=64)),
                ("custom", models.JSONField()),
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
                "indexes": [models.Index(fields=["import_id", "id"], name="imported_apart_in_order")],
                "constraints": [models.UniqueConstraint(fields=("import_id", "phone"), name="imported_apart_once")],
            },
        ),
        TenantPolicy("contacts_importedperson"),
    ]
