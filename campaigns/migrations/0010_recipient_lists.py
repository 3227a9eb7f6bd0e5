import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0009_target_groups"),
    ]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="upload_ids",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(),
                db_default=[],
                default=list,
                help_text="imports of files that it is for, kept apart",
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="outreach",
            name="import_id",
            field=models.BigIntegerField(help_text="the people of a file who became no contacts", null=True),
        ),
    ]
