import django.db.models.deletion
from django.db import migrations, models

import messaging.rules.states
from common.tenancy import AppendOnly, PlatformPolicy, TenantPolicy, TenantReferences


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("senders", "0001_initial"),
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="CarrierEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("account_sid", models.CharField(max_length=64)),
                ("message_id", models.BigIntegerField(help_text="ours, from the callback address", null=True)),
                ("form", models.JSONField()),
                ("received_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="CarrierInbound",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("account_sid", models.CharField(max_length=64)),
                ("form", models.JSONField()),
                ("received_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Dispatcher",
            fields=[
                ("holder", models.UUIDField(primary_key=True, serialize=False)),
                ("seen_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Lane",
            fields=[
                ("lane", models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                ("holder", models.UUIDField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("fence", models.BigIntegerField(default=0, help_text="grows by one with each new holder")),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("lane__lt", 256)), name="lease_lane_in_range")
                ],
            },
        ),
        migrations.CreateModel(
            name="DeliveryEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("message_id", models.BigIntegerField()),
                ("source", models.CharField(help_text="RECEIPT, SWEEP, RECONCILE", max_length=10)),
                ("sid", models.CharField(blank=True, max_length=64)),
                ("status", models.CharField(max_length=20)),
                ("error_code", models.IntegerField(default=0)),
                ("occurred_at", models.DateTimeField()),
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
                "indexes": [models.Index(fields=["message_id"], name="events_of_message")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("sid", ""), _negated=True),
                        fields=("sid", "status", "error_code"),
                        name="receipt_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="InboundText",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sender_number_id", models.BigIntegerField()),
                ("carrier_account_id", models.BigIntegerField()),
                ("sid", models.CharField(max_length=64)),
                ("phone", models.CharField(max_length=16)),
                ("body", models.TextField()),
                ("received_at", models.DateTimeField()),
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
                "indexes": [models.Index(fields=["organization", "phone", "id"], name="inbound_of_phone")],
                "constraints": [models.UniqueConstraint(fields=("carrier_account_id", "sid"), name="inbound_once")],
            },
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("stream_id", models.BigIntegerField()),
                ("sender_number_id", models.BigIntegerField()),
                ("carrier_account_id", models.BigIntegerField()),
                ("campaign_id", models.BigIntegerField(null=True)),
                ("contact_id", models.BigIntegerField(null=True)),
                ("reservation_id", models.BigIntegerField(null=True)),
                (
                    "reply_key",
                    models.CharField(help_text="inbound sid and kind: one reply for each", max_length=90, null=True),
                ),
                ("phone", models.CharField(max_length=16)),
                ("body", models.TextField()),
                ("encoding", models.CharField(choices=[("GSM-7", "GSM-7"), ("UCS-2", "UCS-2")], max_length=5)),
                ("segments", models.PositiveSmallIntegerField()),
                ("credits", models.PositiveSmallIntegerField()),
                ("digest", models.BigIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("QUEUED", "QUEUED"),
                            ("CLAIMED", "CLAIMED"),
                            ("UNKNOWN", "UNKNOWN"),
                            ("ACCEPTED", "ACCEPTED"),
                            ("SENT", "SENT"),
                            ("DELIVERED", "DELIVERED"),
                            ("UNDELIVERED", "UNDELIVERED"),
                            ("NO_RECEIPT", "NO_RECEIPT"),
                            ("FAILED", "FAILED"),
                            ("UNCONFIRMED", "UNCONFIRMED"),
                            ("SKIPPED", "SKIPPED"),
                            ("CANCELED", "CANCELED"),
                            ("EXPIRED", "EXPIRED"),
                        ],
                        default=messaging.rules.states.State["QUEUED"],
                        max_length=11,
                    ),
                ),
                ("reason", models.CharField(blank=True, help_text="why it was skipped or failed", max_length=40)),
                ("error_code", models.IntegerField(null=True)),
                ("captured", models.BooleanField(default=False, help_text="its credits were counted, once")),
                ("claim_id", models.UUIDField(null=True)),
                ("sid", models.CharField(max_length=64, null=True)),
                ("created_at", models.DateTimeField()),
                ("claimed_at", models.DateTimeField(null=True)),
                ("accepted_at", models.DateTimeField(null=True)),
                ("settled_at", models.DateTimeField(help_text="when the outcome became known", null=True)),
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
                    models.Index(
                        condition=models.Q(("state", "QUEUED")), fields=["stream_id", "id"], name="message_queue"
                    ),
                    models.Index(
                        condition=models.Q(("state__in", ["CLAIMED", "UNKNOWN", "ACCEPTED", "SENT"])),
                        fields=["state", "claimed_at"],
                        name="message_in_doubt",
                    ),
                    models.Index(fields=["organization", "phone", "id"], name="message_of_phone"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("campaign_id", None), _negated=True),
                        fields=("campaign_id", "phone"),
                        name="texted_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("sid", None), _negated=True),
                        fields=("carrier_account_id", "sid"),
                        name="sid_once_at_carrier",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("reply_key", None), _negated=True),
                        fields=("organization", "reply_key"),
                        name="reply_once",
                    ),
                    models.CheckConstraint(condition=models.Q(("segments__gte", 1)), name="message_has_a_segment"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "QUEUED",
                                    "CLAIMED",
                                    "UNKNOWN",
                                    "ACCEPTED",
                                    "SENT",
                                    "DELIVERED",
                                    "UNDELIVERED",
                                    "NO_RECEIPT",
                                    "FAILED",
                                    "UNCONFIRMED",
                                    "SKIPPED",
                                    "CANCELED",
                                    "EXPIRED",
                                ],
                            )
                        ),
                        name="message_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("state__in", ["ACCEPTED", "DELIVERED", "NO_RECEIPT", "SENT", "UNDELIVERED"]),
                                _negated=True,
                            ),
                            ("captured", True),
                            _connector="OR",
                        ),
                        name="handed_over_is_captured",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OutcomeCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("stream_id", models.BigIntegerField()),
                ("state", models.CharField(max_length=11)),
                ("messages", models.BigIntegerField()),
                ("segments", models.BigIntegerField()),
                ("credits", models.BigIntegerField()),
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
                "constraints": [models.UniqueConstraint(fields=("stream_id", "state"), name="outcome_counted_once")],
            },
        ),
        migrations.CreateModel(
            name="OutcomeDelta",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("stream_id", models.BigIntegerField()),
                ("state", models.CharField(max_length=11)),
                ("messages", models.IntegerField()),
                ("segments", models.IntegerField()),
                ("credits", models.IntegerField()),
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
                "indexes": [models.Index(fields=["stream_id"], name="deltas_of_stream")],
            },
        ),
        migrations.CreateModel(
            name="RecentText",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "organization_id",
                        "phone",
                        "digest",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("phone", models.CharField(max_length=16)),
                ("digest", models.BigIntegerField()),
                ("message_id", models.BigIntegerField()),
                ("texted_at", models.DateTimeField()),
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
                "indexes": [models.Index(fields=["message_id"], name="recent_text_of_message")],
            },
        ),
        migrations.CreateModel(
            name="Stream",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sender_number_id", models.BigIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("CAMPAIGN", "campaign"),
                            ("REPLY", "reply"),
                            ("COMPLIANCE", "compliance"),
                            ("OPT_IN_REQUEST", "opt_in_request"),
                            ("AUTOMATIC", "automatic"),
                            ("TEST", "test"),
                        ],
                        max_length=14,
                    ),
                ),
                ("priority", models.PositiveSmallIntegerField()),
                ("source", models.CharField(help_text="whose texts: `outreach:12`, `number:3`", max_length=60)),
                ("bucket", models.CharField(blank=True, help_text="recipients with the same hours", max_length=400)),
                ("program_id", models.BigIntegerField(null=True)),
                ("reservation_id", models.BigIntegerField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("OPEN", "Open"), ("PAUSED", "Paused"), ("CLOSED", "Closed")],
                        default="OPEN",
                        max_length=6,
                    ),
                ),
                ("open_from", models.DateTimeField(null=True)),
                ("open_until", models.DateTimeField(null=True)),
                ("ends_at", models.DateTimeField(null=True)),
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
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "CLOSED"), _negated=True),
                        fields=["sender_number_id"],
                        name="stream_not_closed",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "source", "bucket", "kind"), name="stream_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("open_from", None),
                            ("open_until", None),
                            ("open_from__lt", models.F("open_until")),
                            _connector="OR",
                        ),
                        name="window_opens_before_it_closes",
                    ),
                ],
            },
        ),
        TenantPolicy(
            "messaging_stream",
            "messaging_message",
            "messaging_deliveryevent",
            "messaging_recenttext",
            "messaging_outcomedelta",
            "messaging_outcomecount",
            "messaging_inboundtext",
        ),
        PlatformPolicy("messaging_carrierevent", "messaging_carrierinbound", "messaging_lane", "messaging_dispatcher"),
        AppendOnly("messaging_deliveryevent"),
        TenantReferences(
            ("messaging_stream", "sender_number_id", "senders_sendernumber"),
        ),
        migrations.RunSQL("INSERT INTO messaging_lane (lane, fence) SELECT n, 0 FROM generate_series(0, 255) AS n", ""),
    ]
