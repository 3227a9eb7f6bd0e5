from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0001_initial"),
    ]

    operations = [
        migrations.AlterField(
            model_name="optout",
            name="source",
            field=models.CharField(
                choices=[
                    ("KEYWORD", "texted"),
                    ("CARRIER", "told by the carrier"),
                    ("STAFF", "noted by staff"),
                    ("FILE", "opt-out file"),
                    ("LINK", "by the link in a text"),
                ],
                max_length=8,
            ),
        ),
    ]
