from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_days_off"),
        ("content", "0003_pictures"),
    ]

    operations = [
        migrations.AddField(
            model_name="job",
            name="arguments",
            field=models.JSONField(db_default=[], default=list),
        ),
        migrations.AddField(
            model_name="job",
            name="task",
            field=models.CharField(
                db_default="", help_text="does the work; started again where it died", max_length=80
            ),
        ),
        migrations.AlterField(
            model_name="job",
            name="state",
            field=models.CharField(
                choices=[
                    ("WAITING", "Waiting"),
                    ("RUNNING", "Running"),
                    ("DONE", "Done"),
                    ("FAILED", "Failed"),
                    ("CANCELED", "Canceled"),
                ],
                default="WAITING",
                max_length=8,
            ),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                condition=models.Q(("state__in", ["WAITING", "RUNNING"])), fields=["updated_at"], name="jobs_under_way"
            ),
        ),
    ]
