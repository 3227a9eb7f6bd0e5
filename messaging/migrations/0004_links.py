import django.db.models.deletion
from django.db import migrations, models

from common.tenancy import AppendOnly, TenantPolicy, TenantReferences


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_words"),
        ("messaging", "0003_speed_by_age"),
    ]

    operations = [
        migrations.CreateModel(
            name="Link",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("campaign_id", models.BigIntegerField()),
                ("place", models.PositiveSmallIntegerField(help_text="which link of the text, from 0")),
                ("url", models.CharField(max_length=2000)),
                ("expires_at", models.DateTimeField()),
                ("people", models.IntegerField(default=0, help_text="who followed it at least once")),
                ("clicks", models.IntegerField(default=0)),
                (
                    "organization",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="ShortLink",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=12)),
                ("contact_id", models.BigIntegerField()),
                ("phone", models.CharField(max_length=16)),
                ("clicked_at", models.DateTimeField(help_text="the first time", null=True)),
                (
                    "link",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="messaging.link",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="Click",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("short_link_id", models.BigIntegerField()),
                ("clicked_at", models.DateTimeField()),
                ("robot", models.BooleanField()),
                ("agent", models.CharField(blank=True, max_length=200)),
                (
                    "organization",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [models.Index(fields=["short_link_id"], name="clicks_of_short_link")],
            },
        ),
        migrations.AddConstraint(
            model_name="link",
            constraint=models.UniqueConstraint(
                fields=("organization", "campaign_id", "place"), name="link_of_text_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="link",
            constraint=models.CheckConstraint(
                condition=models.Q(("url__startswith", "https://")), name="link_is_https"
            ),
        ),
        migrations.AddIndex(
            model_name="shortlink",
            index=models.Index(
                condition=models.Q(("clicked_at__isnull", False)), fields=["link", "phone"], name="clicked_links"
            ),
        ),
        migrations.AddIndex(
            model_name="shortlink",
            index=models.Index(
                condition=models.Q(("clicked_at__isnull", False)), fields=["organization", "phone"], name="clicks_of"
            ),
        ),
        migrations.AddConstraint(
            model_name="shortlink",
            constraint=models.UniqueConstraint(fields=("code",), name="code_once"),
        ),
        TenantPolicy("messaging_link", "messaging_shortlink", "messaging_click"),
        AppendOnly("messaging_click"),
        TenantReferences(("messaging_shortlink", "link_id", "messaging_link")),
    ]
