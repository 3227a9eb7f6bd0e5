import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_notice"),
        ("campaigns", "0001_initial"),
        ("consent", "0001_initial"),
        ("senders", "0002_numberrequest"),
    ]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="form_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="campaign",
            name="revision",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="campaign",
            name="saved_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="campaign",
            name="saved_by",
            field=models.CharField(blank=True, max_length=160),
        ),
        migrations.AddField(
            model_name="outreach",
            name="plan",
            field=models.JSONField(default=dict, help_text="of the quote: bucket of hours to its people and segments"),
        ),
        migrations.AddField(
            model_name="outreach",
            name="prices",
            field=models.JSONField(
                default=dict, help_text="of the quote: segments of a text to people and their credits"
            ),
        ),
        migrations.AlterField(
            model_name="campaign",
            name="body",
            field=models.TextField(blank=True),
        ),
        migrations.AlterField(
            model_name="campaign",
            name="name",
            field=models.CharField(blank=True, max_length=120),
        ),
        migrations.AlterField(
            model_name="campaign",
            name="program",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="consent.program",
            ),
        ),
        migrations.AlterField(
            model_name="campaign",
            name="sender_number",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="senders.sendernumber",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.UniqueConstraint(fields=("organization", "form_id"), name="draft_of_one_form"),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state", "DRAFT"),
                    models.Q(
                        ("program__isnull", False),
                        ("sender_number__isnull", False),
                        models.Q(("name", ""), _negated=True),
                        models.Q(("body", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="only_drafts_are_incomplete",
            ),
        ),
    ]
