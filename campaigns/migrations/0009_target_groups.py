import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0008_hourly_limit"),
    ]

    operations = [
        migrations.AddField(
            model_name="outreach",
            name="group_ids",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(), db_default=[], default=list, help_text="target groups", size=None
            ),
        ),
    ]
