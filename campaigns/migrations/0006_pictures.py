import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0005_composer"),
    ]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="media_ids",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(), default=list, help_text="pictures, in order", size=None
            ),
        ),
    ]
