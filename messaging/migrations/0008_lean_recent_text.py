from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0007_sender_name"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="recenttext",
            name="recent_text_of_message",
        ),
    ]
