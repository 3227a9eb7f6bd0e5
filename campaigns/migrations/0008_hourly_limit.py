from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0007_reviewed"),
    ]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="hourly_limit",
            field=models.PositiveIntegerField(
                help_text="messages an hour, so that the inbox can be answered; empty: as the number allows", null=True
            ),
        ),
    ]
