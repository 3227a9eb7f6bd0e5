import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_days_off"),
        ("contacts", "0002_words"),
    ]

    operations = [
        migrations.AlterField(
            model_name="contactphone",
            name="contact",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="phones",
                to="contacts.contact",
            ),
        ),
        migrations.AddIndex(
            model_name="contactphone",
            index=models.Index(fields=["organization", "contact"], name="phones_of_contact"),
        ),
    ]
