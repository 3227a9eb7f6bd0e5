from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0002_drafts"),
    ]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="saved_in",
            field=models.UUIDField(help_text="the view of the composer that saved it", null=True),
        ),
        migrations.AddField(
            model_name="campaign",
            name="step",
            field=models.PositiveIntegerField(default=0, help_text="how many changes that view had seen"),
        ),
    ]
