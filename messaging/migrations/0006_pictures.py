import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0005_composer"),
    ]

    operations = [
        migrations.AddField(
            model_name="stream",
            name="media_ids",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(),
                default=list,
                help_text="pictures that go with each message",
                size=None,
            ),
        ),
    ]
