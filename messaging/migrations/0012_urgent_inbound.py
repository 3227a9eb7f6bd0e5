from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0011_hourly_for"),
    ]

    operations = [
        migrations.AddField(
            model_name="carrierinbound",
            name="phone",
            field=models.CharField(db_default="", max_length=32),
        ),
        migrations.AddField(
            model_name="carrierinbound",
            name="urgent",
            field=models.BooleanField(db_default=False),
        ),
        migrations.AddIndex(
            model_name="carrierinbound",
            index=models.Index(condition=models.Q(("urgent", True)), fields=["id"], name="urgent_inbound"),
        ),
    ]
