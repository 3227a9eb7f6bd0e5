from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0004_undone"),
    ]

    operations = [
        migrations.AddField(
            model_name="optout",
            name="detail",
            field=models.CharField(db_default="", help_text="what a file says of where they said it", max_length=120),
        ),
        migrations.AlterField(
            model_name="importstatement",
            name="medium",
            field=models.CharField(
                blank=True,
                choices=[
                    ("WEB_FORM", "WEB_FORM"),
                    ("KEYWORD", "KEYWORD"),
                    ("QR_CODE", "QR_CODE"),
                    ("PAPER_FORM", "PAPER_FORM"),
                    ("DOUBLE_OPT_IN", "DOUBLE_OPT_IN"),
                    ("VERBAL", "VERBAL"),
                    ("IVR", "IVR"),
                    ("INBOUND_TEXT", "INBOUND_TEXT"),
                    ("OTP_FLOW", "OTP_FLOW"),
                ],
                help_text="empty: each record has its own",
                max_length=14,
            ),
        ),
    ]
