import django.db.models.deletion
from django.db import migrations, models

import common.sql
import consent.rules.media
from common.tenancy import AppendOnly, TenantPolicy, TenantReferences


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("senders", "0001_initial"),
        ("accounts", "0001_initial"),
        ("content", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="ConsentState",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "organization_id",
                        "phone",
                        "program_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("phone", models.CharField(max_length=16)),
                ("program_id", models.BigIntegerField(default=0)),
                ("granted", models.BooleanField()),
                ("changed_at", models.DateTimeField(help_text="of the record that decides")),
                ("stopped", models.BooleanField(default=False, help_text="withdrawn by STOP: START brings it back")),
                (
                    "organization",
                    models.ForeignKey(
                        db_constraint=False,
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
            },
        ),
        migrations.CreateModel(
            name="Program",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                (
                    "level",
                    models.CharField(
                        choices=[
                            ("CONVERSATIONAL", "Conversational"),
                            ("INFORMATIONAL", "Informational"),
                            ("PROMOTIONAL", "Promotional"),
                        ],
                        max_length=14,
                    ),
                ),
                ("brand", models.CharField(help_text="the name that people know the sender by", max_length=120)),
                ("opt_in_text", models.TextField()),
                ("opt_in_version", models.PositiveIntegerField(default=1)),
                ("help_text", models.CharField(blank=True, max_length=320)),
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
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="ImportStatement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("program_version", models.PositiveIntegerField()),
                (
                    "medium",
                    models.CharField(
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
                        max_length=14,
                    ),
                ),
                ("agreed_at", models.DateTimeField(help_text="when the people agreed, at the latest")),
                ("how", models.TextField(help_text="in the words of the person who imports")),
                ("actor_label", models.CharField(max_length=160)),
                ("created_at", models.DateTimeField()),
                ("completed_at", models.DateTimeField(null=True)),
                (
                    "evidence",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="content.storedfile",
                    ),
                ),
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
            },
        ),
        migrations.CreateModel(
            name="ProgramVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.PositiveIntegerField()),
                ("opt_in_text", models.TextField()),
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
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="consent.program",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="StopWord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sender_number_id", models.BigIntegerField()),
                ("word", models.CharField(max_length=40)),
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
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="CarrierBlock",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sender_number_id", models.BigIntegerField()),
                ("phone", models.CharField(max_length=16)),
                ("blocked_at", models.DateTimeField()),
                ("lifted_at", models.DateTimeField(null=True)),
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
                "constraints": [models.UniqueConstraint(fields=("sender_number_id", "phone"), name="block_once")],
            },
        ),
        migrations.CreateModel(
            name="ConsentRecord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("phone", models.CharField(max_length=16)),
                ("program_id", models.BigIntegerField(default=0, help_text="0: conversational")),
                ("action", models.CharField(choices=[("GRANT", "Agreed"), ("WITHDRAW", "Withdrew")], max_length=8)),
                ("occurred_at", models.DateTimeField()),
                ("medium", models.CharField(max_length=14)),
                ("program_version", models.PositiveIntegerField(null=True)),
                ("import_statement_id", models.BigIntegerField(null=True)),
                ("source_url", models.TextField(null=True)),
                ("ip_address", models.GenericIPAddressField(null=True)),
                ("user_agent", models.TextField(null=True)),
                ("identity", models.TextField(help_text="name, user name or session id", null=True)),
                ("department_id", models.BigIntegerField(null=True)),
                ("evidence_id", models.BigIntegerField(null=True)),
                (
                    "inbound_sid",
                    models.CharField(help_text="the carrier's id of the text that did it", max_length=64, null=True),
                ),
                ("actor_label", models.CharField(max_length=160)),
                ("recorded_at", models.DateTimeField()),
                ("transaction_id", models.BigIntegerField(db_default=common.sql.CurrentTransaction())),
                (
                    "organization",
                    models.ForeignKey(
                        db_constraint=False,
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
                "indexes": [
                    models.Index(fields=["organization", "phone", "id"], name="consent_of_phone"),
                    models.Index(
                        condition=models.Q(("import_statement_id", None)),
                        fields=["organization", "transaction_id", "id"],
                        name="consent_to_seal",
                    ),
                    models.Index(
                        condition=models.Q(("import_statement_id__isnull", False)),
                        fields=["import_statement_id", "id"],
                        name="consent_of_statement",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ConsentSeal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sequence", models.BigIntegerField()),
                ("record_id", models.BigIntegerField(null=True)),
                (
                    "transaction_id",
                    models.BigIntegerField(help_text="of the record: where the sealer goes on", null=True),
                ),
                ("import_statement_id", models.BigIntegerField(null=True)),
                ("digest", models.CharField(help_text="SHA-256 of the record, or the Merkle root", max_length=64)),
                (
                    "chain_hash",
                    models.CharField(
                        help_text="SHA-256 over the former chain hash, sequence and digest", max_length=64
                    ),
                ),
                ("sealed_at", models.DateTimeField()),
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
                    models.UniqueConstraint(fields=("organization", "sequence"), name="seal_sequence_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("record_id", None), _negated=True),
                        fields=("record_id",),
                        name="record_sealed_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("import_statement_id", None), _negated=True),
                        fields=("import_statement_id",),
                        name="statement_sealed_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("record_id", None), ("import_statement_id", None), _connector="XOR"),
                        name="seal_of_one_thing",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OptOut",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("phone", models.CharField(max_length=16)),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("KEYWORD", "texted"),
                            ("CARRIER", "told by the carrier"),
                            ("STAFF", "noted by staff"),
                            ("FILE", "opt-out file"),
                        ],
                        max_length=8,
                    ),
                ),
                ("opted_out_at", models.DateTimeField()),
                ("lifted_at", models.DateTimeField(null=True)),
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
                "constraints": [models.UniqueConstraint(fields=("organization", "phone"), name="opted_out_once")],
            },
        ),
        migrations.AddConstraint(
            model_name="program",
            constraint=models.UniqueConstraint(fields=("organization", "name"), name="program_named_once"),
        ),
        migrations.AddConstraint(
            model_name="program",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "level__in",
                        [consent.rules.media.Level["INFORMATIONAL"], consent.rules.media.Level["PROMOTIONAL"]],
                    )
                ),
                name="program_level_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="importstatement",
            constraint=models.CheckConstraint(
                condition=models.Q(("how", ""), _negated=True), name="statement_says_how"
            ),
        ),
        migrations.AddConstraint(
            model_name="programversion",
            constraint=models.UniqueConstraint(fields=("program", "version"), name="program_version_once"),
        ),
        migrations.AddConstraint(
            model_name="stopword",
            constraint=models.UniqueConstraint(fields=("sender_number_id", "word"), name="stop_word_once"),
        ),
        TenantPolicy(
            "consent_program",
            "consent_programversion",
            "consent_importstatement",
            "consent_consentrecord",
            "consent_consentstate",
            "consent_optout",
            "consent_stopword",
            "consent_carrierblock",
            "consent_consentseal",
        ),
        AppendOnly("consent_programversion", "consent_consentrecord", "consent_consentseal"),
        TenantReferences(
            ("consent_programversion", "program_id", "consent_program"),
            ("consent_importstatement", "program_id", "consent_program"),
            ("consent_importstatement", "evidence_id", "content_storedfile"),
            ("consent_stopword", "sender_number_id", "senders_sendernumber"),
            ("consent_carrierblock", "sender_number_id", "senders_sendernumber"),
        ),
    ]
