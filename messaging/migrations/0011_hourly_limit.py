from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0010_guards"),
    ]

    operations = [
        migrations.AddField(
            model_name="stream",
            name="hourly_limit",
            field=models.PositiveIntegerField(help_text="messages an hour of the whole source", null=True),
        ),
    ]
