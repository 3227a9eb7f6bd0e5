import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

from common.tenancy import TenantPolicy


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_days_off"),
        ("contacts", "0004_imports_at_scale"),
    ]

    operations = [
        # Trusted extensions: the owner of the database may make them.
        migrations.RunSQL(
            "CREATE EXTENSION IF NOT EXISTS pg_trgm; CREATE EXTENSION IF NOT EXISTS btree_gin;"
            " CREATE EXTENSION IF NOT EXISTS unaccent",
            reverse_sql=migrations.RunSQL.noop,
        ),
        migrations.CreateModel(
            name="Unindexed",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "contact_ids",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None),
                ),
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
            },
        ),
        migrations.CreateModel(
            name="ContactSearch",
            fields=[
                ("contact_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("words", models.TextField()),
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
                "indexes": [models.Index(fields=["organization", "contact_id"], name="search_in_order")],
            },
        ),
        TenantPolicy("contacts_contactsearch", "contacts_unindexed"),
        migrations.RunSQL(
            "CREATE INDEX search_words ON contacts_contactsearch USING gin (organization_id, words gin_trgm_ops)",
            reverse_sql="DROP INDEX search_words",
        ),
        # Who is there already is found soon.
        migrations.RunSQL(
            "INSERT INTO contacts_unindexed (organization_id, contact_ids)"
            " SELECT organization_id, array_agg(id) FROM contacts_contact GROUP BY organization_id, id / 5000",
            reverse_sql=migrations.RunSQL.noop,
        ),
    ]
