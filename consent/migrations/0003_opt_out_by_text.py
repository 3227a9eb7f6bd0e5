from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0002_sender_name"),
    ]

    operations = [
        migrations.AddField(
            model_name="optout",
            name="inbound_sid",
            field=models.CharField(help_text="the text that said so", max_length=64, null=True),
        ),
    ]
