from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_notice"),
        ("inbox", "0001_initial"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="conversation",
            name="conversations_newest_first",
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(fields=["organization", "-last_received_at", "-id"], name="conversations_in_order"),
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("unread__gt", 0)), fields=["organization"], name="conversations_unread"
            ),
        ),
    ]
