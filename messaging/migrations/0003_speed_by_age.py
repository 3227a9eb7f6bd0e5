from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_notice"),
        ("messaging", "0002_speed_and_trouble"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="speedsample",
            name="speed_of_stream",
        ),
        migrations.AddIndex(
            model_name="speedsample",
            index=models.Index(fields=["stream_id", "-sampled_at"], name="speed_of_stream"),
        ),
        migrations.AddIndex(
            model_name="speedsample",
            index=models.Index(fields=["sampled_at"], name="speed_by_age"),
        ),
    ]
