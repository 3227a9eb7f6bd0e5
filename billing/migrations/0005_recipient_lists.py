from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0004_order_form"),
    ]

    operations = [
        migrations.AddField(
            model_name="plan",
            name="recipient_rows",
            field=models.PositiveIntegerField(
                db_default=100000, default=100000, help_text="the most rows of a recipient list (C7)"
            ),
        ),
    ]
