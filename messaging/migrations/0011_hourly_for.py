from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0010_hourly_limit"),
    ]

    operations = [
        migrations.AddField(
            model_name="stream",
            name="hourly_for",
            field=models.CharField(blank=True, help_text="who share the limit: a campaign's outreaches", max_length=60),
        ),
        migrations.AlterField(
            model_name="stream",
            name="hourly_limit",
            field=models.PositiveIntegerField(help_text="messages an hour of all that share it", null=True),
        ),
    ]
