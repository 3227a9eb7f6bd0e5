from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("senders", "0002_numberrequest"),
    ]

    operations = [
        migrations.AddField(
            model_name="carrieraccount",
            name="witnessed_at",
            field=models.DateTimeField(help_text="when it last told us everything that it knows of STOPs", null=True),
        ),
    ]
