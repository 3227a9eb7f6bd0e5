from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_notice"),
    ]

    operations = [
        migrations.AddField(
            model_name="organization",
            name="approval_above",
            field=models.PositiveIntegerField(
                help_text="recipients above which a second person approves; empty: never", null=True
            ),
        ),
        migrations.AddField(
            model_name="organization",
            name="link_domain",
            field=models.CharField(blank=True, help_text="host of its short links; empty: ours", max_length=200),
        ),
        migrations.AddField(
            model_name="organization",
            name="opt_out_word",
            field=models.CharField(default="STOP", help_text="where a campaign has no word of its own", max_length=40),
        ),
    ]
