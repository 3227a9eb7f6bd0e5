from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("content", "0002_templates"),
    ]

    operations = [
        migrations.AlterField(
            model_name="storedfile",
            name="kind",
            field=models.CharField(
                choices=[
                    ("EVIDENCE", "Evidence"),
                    ("IMPORT", "Import"),
                    ("MEDIA", "Picture of a text"),
                    ("REPORT", "Report"),
                ],
                max_length=10,
            ),
        ),
    ]
