import django.db.models.deletion
from django.db import migrations, models

from common.tenancy import AppendOnly, TenantPolicy, TenantReferences


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_words"),
        ("content", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Template",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                ("label", models.CharField(blank=True, help_text="what groups it with others", max_length=60)),
                (
                    "owner_id",
                    models.BigIntegerField(help_text="the person whose own it is; empty: everybody's", null=True),
                ),
                ("default_language", models.CharField(default="en", max_length=12)),
                ("uses", models.IntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
                (
                    "deleted_at",
                    models.DateTimeField(help_text="its versions stay: sent texts point at them", null=True),
                ),
                (
                    "organization",
                    models.ForeignKey(
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
            name="TemplateVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("bodies", models.JSONField(help_text="language code to text")),
                ("created_by", models.CharField(max_length=160)),
                ("created_at", models.DateTimeField()),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "template",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="content.template",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.AddConstraint(
            model_name="template",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at", None)),
                fields=("organization", "name", "owner_id"),
                name="template_named_once",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="templateversion",
            constraint=models.UniqueConstraint(fields=("template", "number"), name="template_version_once"),
        ),
        TenantPolicy("content_template", "content_templateversion"),
        TenantReferences(("content_templateversion", "template_id", "content_template")),
        AppendOnly("content_templateversion"),
    ]
