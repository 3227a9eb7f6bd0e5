from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_days_off"),
    ]

    operations = [
        migrations.AddField(
            model_name="membership",
            name="contact_columns",
            field=models.JSONField(db_default=[], default=list, help_text="of the table of contacts, as they chose"),
        ),
    ]
