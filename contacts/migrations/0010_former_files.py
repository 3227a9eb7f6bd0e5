import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0005_former_files"),
        ("contacts", "0009_recipient_lists"),
    ]

    operations = [
        migrations.AddField(
            model_name="import",
            name="kind",
            field=models.CharField(
                choices=[
                    ("PEOPLE", "People: contacts and how they agreed"),
                    ("OPT_OUTS", "Opt-outs: who told your former provider to stop"),
                    ("CONSENTS", "Consents: who agreed, when and how, row by row"),
                ],
                db_default="PEOPLE",
                default="PEOPLE",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="import",
            name="stopped_by",
            field=models.DateTimeField(help_text="of opt-outs: when they had all said stop, at the latest", null=True),
        ),
        migrations.AlterField(
            model_name="import",
            name="statement",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="consent.importstatement",
            ),
        ),
    ]
