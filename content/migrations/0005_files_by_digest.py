from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("content", "0004_jobs_that_go_on"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="storedfile",
            index=models.Index(fields=["organization", "sha256"], name="files_by_digest"),
        ),
    ]
