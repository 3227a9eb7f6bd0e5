from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0004_links"),
    ]

    operations = [
        migrations.AddField(
            model_name="message",
            name="template_version_id",
            field=models.BigIntegerField(help_text="of an answer that began with a template", null=True),
        ),
    ]
