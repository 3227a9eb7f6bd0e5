import django.db.models.deletion
from django.db import migrations, models

import consent.models
from common.tenancy import TenantPolicy, TenantReferences


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_stop_scope"),
        ("consent", "0006_ledger"),
    ]

    operations = [
        migrations.AddField(
            model_name="optout",
            name="said_again_at",
            field=models.DateTimeField(help_text="the newest stop after the first: no older START lifts it", null=True),
        ),
        migrations.AddField(
            model_name="optout",
            name="asked_at",
            field=models.DateTimeField(help_text="when we asked whether they meant one program alone", null=True),
        ),
        migrations.AddField(
            model_name="program",
            name="confirmation_text",
            field=models.CharField(blank=True, db_default="", help_text="empty: the offered one", max_length=320),
        ),
        migrations.AddField(
            model_name="program",
            name="double_opt_in",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="program",
            name="form_key",
            field=models.CharField(help_text="of its public page; empty: none", max_length=32, null=True, unique=True),
        ),
        migrations.AddField(
            model_name="program",
            name="form_sender_number_id",
            field=models.BigIntegerField(help_text="that the public page's requests come from", null=True),
        ),
        migrations.AddField(
            model_name="program",
            name="frequency",
            field=models.CharField(
                blank=True, db_default="", help_text="such as “up to 4 texts a month”", max_length=80
            ),
        ),
        migrations.AddField(
            model_name="program",
            name="link_findings",
            field=models.JSONField(db_default=[], default=list, help_text="what is wrong with the two pages"),
        ),
        migrations.AddField(
            model_name="program",
            name="links_checked_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="program",
            name="monthly_cap",
            field=models.PositiveSmallIntegerField(help_text="texts for each person in 30 days; empty: any", null=True),
        ),
        migrations.AddField(
            model_name="program",
            name="opt_out_text",
            field=models.CharField(blank=True, db_default="", help_text="empty: the offered one", max_length=320),
        ),
        migrations.AddField(
            model_name="program",
            name="positive_words",
            field=models.JSONField(
                db_default=["y", "yes", "ok", "begin"],
                default=consent.models.default_positive_words,
                help_text="normalised",
            ),
        ),
        migrations.AddField(
            model_name="program",
            name="privacy_url",
            field=models.CharField(blank=True, db_default="", max_length=300),
        ),
        migrations.AddField(
            model_name="program",
            name="terms_url",
            field=models.CharField(blank=True, db_default="", max_length=300),
        ),
        migrations.AddField(
            model_name="program",
            name="use_case",
            field=models.CharField(blank=True, db_default="", help_text="what the texts are about", max_length=160),
        ),
        migrations.CreateModel(
            name="OptInRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("phone", models.CharField(max_length=16)),
                ("program_version", models.PositiveIntegerField()),
                ("sender_number_id", models.BigIntegerField()),
                ("medium", models.CharField(help_text="how the person asked", max_length=14)),
                ("basis", models.TextField(help_text="who asked for it, where and when, in words")),
                ("asked_for_at", models.DateTimeField(help_text="when the person asked for it")),
                ("source_url", models.TextField(null=True)),
                ("ip_address", models.GenericIPAddressField(null=True)),
                ("user_agent", models.TextField(null=True)),
                ("identity", models.TextField(null=True)),
                ("evidence_id", models.BigIntegerField(null=True)),
                ("inbound_sid", models.CharField(help_text="the text with the keyword", max_length=64, null=True)),
                ("message_id", models.BigIntegerField(help_text="our text that asks", null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("WAITING", "Waiting for their answer"),
                            ("CONFIRMED", "Confirmed"),
                            ("STOPPED", "Said stop"),
                            ("EXPIRED", "Not answered in time"),
                        ],
                        default="WAITING",
                        max_length=9,
                    ),
                ),
                ("actor_label", models.CharField(max_length=160)),
                ("created_at", models.DateTimeField()),
                ("reminded_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "program",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="consent.program",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [
                    models.Index(fields=["organization", "phone", "program"], name="requests_of_phone"),
                    models.Index(
                        condition=models.Q(("state", "WAITING")), fields=["expires_at"], name="requests_that_wait"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("basis", ""), _negated=True), name="request_has_basis"),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "WAITING")),
                        fields=("organization", "phone", "program"),
                        name="one_request_waits",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PossibleOptOut",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("phone", models.CharField(max_length=16)),
                ("sender_number_id", models.BigIntegerField()),
                ("inbound_sid", models.CharField(max_length=64)),
                ("noted_at", models.DateTimeField()),
                ("resolved_at", models.DateTimeField(null=True)),
                (
                    "verdict",
                    models.CharField(
                        blank=True, choices=[("STOPPED", "They want to stop"), ("WENT_ON", "They do not")], max_length=7
                    ),
                ),
                ("resolved_by", models.CharField(blank=True, max_length=160)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("resolved_at", None)), fields=("organization", "phone"), name="paused_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ProgramKeyword",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sender_number_id", models.BigIntegerField()),
                ("word", models.CharField(max_length=40)),
                ("posted_at", models.CharField(blank=True, help_text="where people find it, in words", max_length=300)),
                ("created_at", models.DateTimeField()),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "program",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="keywords",
                        to="consent.program",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [models.UniqueConstraint(fields=("sender_number_id", "word"), name="join_word_once")],
            },
        ),
        migrations.CreateModel(
            name="CarrierDifference",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("phone", models.CharField(max_length=16)),
                ("sender_number_id", models.BigIntegerField()),
                ("words", models.CharField(max_length=200)),
                ("found_at", models.DateTimeField()),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [models.Index(fields=["organization", "-found_at"], name="differences_newest_first")],
            },
        ),
        TenantPolicy(
            "consent_programkeyword", "consent_optinrequest", "consent_possibleoptout", "consent_carrierdifference"
        ),
        TenantReferences(
            ("consent_programkeyword", "program_id", "consent_program"),
            ("consent_programkeyword", "sender_number_id", "senders_sendernumber"),
            ("consent_optinrequest", "program_id", "consent_program"),
            ("consent_optinrequest", "sender_number_id", "senders_sendernumber"),
            ("consent_possibleoptout", "sender_number_id", "senders_sendernumber"),
            ("consent_carrierdifference", "sender_number_id", "senders_sendernumber"),
        ),
    ]
