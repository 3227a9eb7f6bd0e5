from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("audiences", "0003_target_groups"),
    ]

    operations = [
        migrations.AlterField(
            model_name="exclusion",
            name="reason",
            field=models.CharField(
                choices=[
                    ("no_phone", "no_phone"),
                    ("not_textable", "not_textable"),
                    ("no_names", "no_names"),
                    ("opted_out", "opted_out"),
                    ("no_consent", "no_consent"),
                    ("maybe_stop", "maybe_stop"),
                    ("often_enough", "often_enough"),
                    ("in_other_outreach", "in_other_outreach"),
                    ("too_long", "too_long"),
                    ("missing_value", "missing_value"),
                    ("no_lawful_hour", "no_lawful_hour"),
                    ("outside_period", "outside_period"),
                    ("changed", "changed"),
                    ("not_reached", "not_reached"),
                ],
                max_length=20,
            ),
        ),
    ]
