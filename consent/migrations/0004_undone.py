from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0003_opt_out_by_text"),
    ]

    operations = [
        migrations.AddField(
            model_name="importstatement",
            name="undone_at",
            field=models.DateTimeField(help_text="its records count for nothing since", null=True),
        ),
    ]
