from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_notice"),
        ("billing", "0001_initial"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="creditentry",
            index=models.Index(
                condition=models.Q(("kind", "CAPTURE")), fields=["organization", "occurred_at"], name="captures_in_time"
            ),
        ),
        migrations.AddIndex(
            model_name="reservation",
            index=models.Index(
                condition=models.Q(("captured__gt", models.F("posted"))),
                fields=["organization"],
                name="reservation_unposted",
            ),
        ),
    ]
