from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0006_pictures"),
    ]

    operations = [
        migrations.AddField(
            model_name="outreach",
            name="fingerprint",
            field=models.BigIntegerField(default=0, help_text="of the quote: what every text was made of"),
        ),
    ]
