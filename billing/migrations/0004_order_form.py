from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_notice"),
        ("billing", "0003_creditorder"),
    ]

    operations = [
        migrations.AddField(
            model_name="creditorder",
            name="form_id",
            field=models.UUIDField(help_text="the form that ordered: sent twice it is one order", null=True),
        ),
        migrations.AddConstraint(
            model_name="creditorder",
            constraint=models.UniqueConstraint(fields=("organization", "form_id"), name="order_of_one_form"),
        ),
    ]
