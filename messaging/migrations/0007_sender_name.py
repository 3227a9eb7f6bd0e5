from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_reviewed"),
        ("messaging", "0006_pictures"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="link",
            name="link_is_https",
        ),
        migrations.AlterField(
            model_name="link",
            name="url",
            field=models.CharField(
                blank=True, help_text="empty: the page where the person stops all texts", max_length=2000
            ),
        ),
        migrations.AddConstraint(
            model_name="link",
            constraint=models.CheckConstraint(
                condition=models.Q(("url__startswith", "https://"), ("url", ""), _connector="OR"), name="link_is_https"
            ),
        ),
    ]
