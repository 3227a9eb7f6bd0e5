from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0003_draft_view"),
    ]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="plain_characters",
            field=models.BooleanField(default=True, help_text="curly quotes and the like are written plainly"),
        ),
        migrations.AddField(
            model_name="outreach",
            name="plain_saves",
            field=models.JSONField(default=dict, help_text="of the quote: segments and credits of plain characters"),
        ),
        migrations.AlterField(
            model_name="campaign",
            name="opt_out_word",
            field=models.CharField(blank=True, help_text="empty: the organization's", max_length=40),
        ),
        migrations.AlterField(
            model_name="outreach",
            name="prices",
            field=models.JSONField(default=dict, help_text="of the quote: `GSM-7 2` to people and their credits"),
        ),
        # Uncompressed: a quote writes them once and the launch reads them once; compressing took an eighth of its time.
        migrations.RunSQL(
            "ALTER TABLE campaigns_quotechunk "
            + ", ".join(
                f"ALTER {column} SET STORAGE EXTERNAL"
                for column in ("contact_ids", "phones", "credits", "segments", "digests")
            ),
            reverse_sql=migrations.RunSQL.noop,
        ),
    ]
