from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_days_off"),
        ("contacts", "0010_former_files"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="importedperson",
            index=models.Index(fields=["organization", "phone"], name="imported_apart_of_phone"),
        ),
    ]
