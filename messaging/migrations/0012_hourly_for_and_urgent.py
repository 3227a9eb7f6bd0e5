from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0011_hourly_limit"),
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
        migrations.AddField(
            model_name="stream",
            name="hourly_for",
            field=models.CharField(db_default="", help_text="who share it: a campaign's outreaches", max_length=60),
        ),
        migrations.AlterField(
            model_name="stream",
            name="hourly_limit",
            field=models.PositiveIntegerField(help_text="messages an hour of all that share it", null=True),
        ),
        migrations.AddIndex(
            model_name="carrierinbound",
            index=models.Index(condition=models.Q(("urgent", True)), fields=["id"], name="urgent_inbound"),
        ),
    ]
