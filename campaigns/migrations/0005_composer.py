import django.db.models.deletion
from django.db import migrations, models

from common.tenancy import TenantReferences


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0004_words"),
        ("content", "0002_templates"),
    ]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="language",
            field=models.CharField(default="en", max_length=12),
        ),
        migrations.AddField(
            model_name="campaign",
            name="template_version",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="content.templateversion",
            ),
        ),
        migrations.AddField(
            model_name="outreach",
            name="approved_by",
            field=models.CharField(blank=True, max_length=160),
        ),
        migrations.AddField(
            model_name="outreach",
            name="asked_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="outreach",
            name="asked_by_id",
            field=models.BigIntegerField(help_text="who asked for a second person's approval", null=True),
        ),
        migrations.AddField(
            model_name="outreach",
            name="crowded",
            field=models.BigIntegerField(
                default=0, help_text="of the quote: recipients with two promotional campaigns this month already"
            ),
        ),
        migrations.AddField(
            model_name="outreach",
            name="examples",
            field=models.JSONField(
                default=dict, help_text="of the quote: the contacts with the longest and the dearest text"
            ),
        ),
        migrations.AlterField(
            model_name="outreach",
            name="state",
            field=models.CharField(
                choices=[
                    ("DRAFT", "DRAFT"),
                    ("QUOTED", "QUOTED"),
                    ("AWAITING_APPROVAL", "AWAITING_APPROVAL"),
                    ("SCHEDULED", "SCHEDULED"),
                    ("OPEN", "OPEN"),
                    ("PAUSED", "PAUSED"),
                    ("CLOSED", "CLOSED"),
                ],
                default="DRAFT",
                max_length=17,
            ),
        ),
        TenantReferences(("campaigns_campaign", "template_version_id", "content_templateversion")),
    ]
