from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_days_off"),
        ("contacts", "0007_exports"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="contactsearch",
            index=models.Index(
                models.F("organization"), models.Func("contact_id", function="hashint8"), name="contacts_shuffled"
            ),
        ),
    ]
