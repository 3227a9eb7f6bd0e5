import django.db.models.deletion
from django.db import migrations, models

from common.tenancy import TenantReferences


class Migration(migrations.Migration):
    dependencies = [
        ("content", "0001_initial"),
        ("registration", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="registration",
            name="evidence",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="content.storedfile",
            ),
        ),
        TenantReferences(("registration_registration", "evidence_id", "content_storedfile")),
    ]
