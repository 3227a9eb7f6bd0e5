import django.db.models.deletion
from django.db import migrations, models

from common.tenancy import TenantPolicy, TenantReferences


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_days_off"),
        ("contacts", "0003_phones_of_contact"),
        ("content", "0004_jobs_that_go_on"),
    ]

    operations = [
        migrations.AddField(
            model_name="customfield",
            name="choices",
            field=models.JSONField(db_default=[], default=list, help_text="of a field of that kind: what it may hold"),
        ),
        migrations.AddField(
            model_name="customfield",
            name="kind",
            field=models.CharField(
                choices=[
                    ("TEXT", "text"),
                    ("NUMBER", "number"),
                    ("DATE", "date"),
                    ("CHOICE", "one of several choices"),
                    ("YES_NO", "yes or no"),
                ],
                db_default="TEXT",
                default="TEXT",
                max_length=6,
            ),
        ),
        migrations.AddField(
            model_name="import",
            name="cancel_asked_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="import",
            name="existing",
            field=models.CharField(
                choices=[
                    ("UPDATE", "Take over what the file says"),
                    ("FILL", "Fill in only what is empty"),
                    ("KEEP", "Leave them as they are"),
                ],
                db_default="UPDATE",
                default="UPDATE",
                max_length=6,
            ),
        ),
        migrations.AddField(
            model_name="import",
            name="faults",
            field=models.JSONField(
                db_default={}, default=dict, help_text="of the invalid ones: how many for each reason"
            ),
        ),
        migrations.AddField(
            model_name="import",
            name="header",
            field=models.JSONField(
                db_default=[], default=list, help_text="the headings; with the mapping they teach the next import"
            ),
        ),
        migrations.AddField(
            model_name="import",
            name="removed",
            field=models.BigIntegerField(
                db_default=0, default=0, help_text="contacts that the undoing took away again"
            ),
        ),
        migrations.AddField(
            model_name="import",
            name="unchanged",
            field=models.BigIntegerField(db_default=0, default=0, help_text="known, and nothing new about them"),
        ),
        migrations.AddField(
            model_name="import",
            name="undo_job",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="content.job",
            ),
        ),
        migrations.AlterField(
            model_name="listmember",
            name="contact_list",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="contacts.contactlist",
            ),
        ),
        migrations.CreateModel(
            name="ImportedContact",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "import_id", "phone", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("import_id", models.BigIntegerField()),
                ("phone", models.CharField(max_length=16)),
                ("contact_id", models.BigIntegerField()),
                ("created", models.BooleanField()),
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
        migrations.DeleteModel(
            name="ImportedPhone",
        ),
        migrations.AddIndex(
            model_name="importedcontact",
            index=models.Index(fields=["organization", "contact_id"], name="imports_of_contact"),
        ),
        TenantPolicy("contacts_importedcontact"),
        TenantReferences(("contacts_import", "undo_job_id", "content_job")),
        # Imports under way go on: their worker died with the old version.
        migrations.RunSQL(
            "UPDATE content_job j SET task = 'contacts.run_import', arguments = jsonb_build_array(i.organization_id, i.id)"
            " FROM contacts_import i WHERE i.job_id = j.id AND j.state IN ('WAITING', 'RUNNING') AND j.task = ''",
            reverse_sql=migrations.RunSQL.noop,
        ),
    ]
