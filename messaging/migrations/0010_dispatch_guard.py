from django.db import migrations, models

from common.tenancy import PlatformPolicy


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0009_spikes"),
    ]

    operations = [
        migrations.CreateModel(
            name="DispatchGuard",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("system_identifier", models.BigIntegerField()),
                ("timeline", models.IntegerField()),
                ("cleared_at", models.DateTimeField(help_text="what the carriers list up to then has been read")),
                ("locked_for", models.CharField(blank=True, max_length=200)),
                ("locked_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="one_dispatch_guard")],
            },
        ),
        PlatformPolicy("messaging_dispatchguard"),
    ]
