from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0012_hourly_for_and_urgent"),
    ]

    operations = [
        migrations.AddField(
            model_name="carrierinbound",
            name="obeyed",
            field=models.BooleanField(db_default=False),
        ),
        migrations.AddIndex(
            model_name="carrierinbound",
            index=models.Index(
                condition=models.Q(("obeyed", False), ("urgent", True)), fields=["id"], name="inbound_to_obey"
            ),
        ),
    ]
