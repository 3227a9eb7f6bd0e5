from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_verified_phone"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="organization",
            constraint=models.UniqueConstraint(
                condition=models.Q(("link_domain", ""), _negated=True),
                fields=("link_domain",),
                name="link_domain_of_one",
            ),
        ),
    ]
