from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("contacts", "0011_people_apart_by_phone"),
    ]

    operations = [
        migrations.AddField(
            model_name="import",
            name="stopped",
            field=models.BigIntegerField(db_default=0, default=0, help_text="by a column of the file that says so"),
        ),
    ]
