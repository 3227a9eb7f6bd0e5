from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_contact_columns"),
    ]

    operations = [
        migrations.AddField(
            model_name="organization",
            name="stop_scope",
            field=models.CharField(
                choices=[
                    ("ALL", "All your texts"),
                    ("ASK", "All your texts; the confirmation asks whether only one program was meant"),
                    ("PROGRAM", "The program of the last text; STOPALL stops everything"),
                ],
                db_default="ALL",
                default="ALL",
                help_text="what a texted STOP stops",
                max_length=7,
            ),
        ),
    ]
