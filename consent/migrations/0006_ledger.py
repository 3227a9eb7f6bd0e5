import django.db.models.deletion
from django.db import migrations, models

from common.tenancy import AppendOnly, TenantPolicy

# What was said before STOP and START were records of their own.
FORMER_OPT_OUTS = """
INSERT INTO consent_consentrecord
    (organization_id, phone, program_id, action, occurred_at, medium, inbound_sid, note, actor_label, recorded_at)
SELECT o.organization_id, o.phone, 0, x.action, x.at, x.medium, x.sid, x.note, 'noted again', clock_timestamp()
FROM consent_optout o CROSS JOIN LATERAL (
    VALUES (1, 'STOP', o.opted_out_at, CASE o.source WHEN 'KEYWORD' THEN 'INBOUND_TEXT' ELSE o.source END,
            o.inbound_sid, NULLIF(o.detail, '')),
        (2, 'START', o.lifted_at, 'KEYWORD', NULL, NULL)
) AS x(turn, action, at, medium, sid, note)
WHERE x.at IS NOT NULL ORDER BY o.id, x.turn
"""

# What was undone before undoing was a record of its own.
FORMER_UNDOS = """
INSERT INTO consent_consentrecord
    (organization_id, phone, program_id, action, occurred_at, medium, note, actor_label, recorded_at)
SELECT organization_id, '', program_id, 'UNDO', undone_at, 'UNDO', 'import statement ' || id, 'noted again',
    clock_timestamp()
FROM consent_importstatement WHERE undone_at IS NOT NULL ORDER BY id
"""

# The one door out of the ledger: it empties the records of phones whose time of keeping is over, and says so in a
# record and in the audit log, in the same transaction. Opt-outs are kept. The seals keep the digests of what was there.
ERASE = """
CREATE FUNCTION refuse_change_of_records() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.erased_by_id IS NULL AND NEW.phone = ''
        AND NEW.erased_by_id::text = current_setting('carillon.erasing', true)
        AND current_user = (SELECT tableowner FROM pg_tables WHERE schemaname = TG_TABLE_SCHEMA
            AND tablename = TG_TABLE_NAME) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;
DROP TRIGGER append_only ON consent_consentrecord;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON consent_consentrecord
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_records();

CREATE FUNCTION erase_consent(of_organization bigint, of_phones text[], before timestamptz, reason text, actor text,
    at timestamptz)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    said bigint := nextval(pg_get_serial_sequence('consent_consentrecord', 'id'));
    due text[];
    emptied bigint;
    which text;
BEGIN
    SELECT array_agg(p.phone) INTO due FROM unnest(of_phones) AS p(phone)
    WHERE NOT EXISTS (SELECT 1 FROM consent_consentrecord r
        WHERE r.organization_id = of_organization AND r.phone = p.phone AND r.recorded_at >= before);
    PERFORM set_config('carillon.erasing', said::text, true);
    WITH gone AS (
        UPDATE consent_consentrecord SET phone = '', source_url = NULL, ip_address = NULL, user_agent = NULL,
            identity = NULL, inbound_sid = NULL, note = NULL, message_id = NULL, evidence_id = NULL,
            evidence_sha256 = NULL, actor_label = '', erased_by_id = said
        WHERE organization_id = of_organization AND phone = ANY(due) AND action IN ('GRANT', 'WITHDRAW')
            AND recorded_at < before
        RETURNING id
    )
    SELECT count(*), encode(sha256(convert_to(COALESCE(string_agg(id::text, ',' ORDER BY id), ''), 'UTF8')), 'hex')
    INTO emptied, which FROM gone;
    PERFORM set_config('carillon.erasing', '', true);
    IF emptied = 0 THEN
        RETURN 0;
    END IF;
    INSERT INTO consent_consentrecord
        (id, organization_id, phone, program_id, action, occurred_at, medium, note, actor_label, recorded_at)
    VALUES (said, of_organization, '', 0, 'ERASE', at, 'RETENTION', emptied || ' records (' || which || '): ' || reason,
        actor, at);
    -- A state that changed meanwhile is of a record that was not emptied.
    DELETE FROM consent_consentstate
    WHERE organization_id = of_organization AND phone = ANY(due) AND changed_at < before;
    DELETE FROM consent_optinrequest
    WHERE organization_id = of_organization AND phone = ANY(due) AND created_at < before;
    DELETE FROM consent_possibleoptout
    WHERE organization_id = of_organization AND phone = ANY(due) AND noted_at < before;
    DELETE FROM consent_carrierdifference
    WHERE organization_id = of_organization AND phone = ANY(due) AND found_at < before;
    INSERT INTO accounts_auditevent (organization_id, action, subject, facts, actor_label, occurred_at)
    VALUES (of_organization, 'consent.erased', 'consentrecord:' || said,
        jsonb_build_object('records', emptied, 'phones', cardinality(due), 'reason', reason), actor, at);
    RETURN emptied;
END $$;
REVOKE ALL ON FUNCTION erase_consent(bigint, text[], timestamptz, text, text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase_consent(bigint, text[], timestamptz, text, text, timestamptz) TO carillon_platform
"""

FORGET = """
DROP FUNCTION erase_consent(bigint, text[], timestamptz, text, text, timestamptz);
DROP TRIGGER append_only ON consent_consentrecord;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON consent_consentrecord
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
DROP FUNCTION refuse_change_of_records()
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_contact_columns"),
        ("consent", "0005_former_files"),
    ]

    operations = [
        migrations.AddField(
            model_name="consentrecord",
            name="erased_by_id",
            field=models.BigIntegerField(help_text="the record that says why this one was emptied", null=True),
        ),
        migrations.AddField(
            model_name="consentrecord",
            name="message_id",
            field=models.BigIntegerField(help_text="our text that asked, of a double opt-in", null=True),
        ),
        migrations.AddField(
            model_name="consentrecord",
            name="note",
            field=models.TextField(help_text="the reason or the basis, in words", null=True),
        ),
        migrations.AddField(
            model_name="consentrecord",
            name="words_sha256",
            field=models.CharField(help_text="of the words that were agreed to", max_length=64, null=True),
        ),
        migrations.AddField(
            model_name="consentrecord",
            name="evidence_sha256",
            field=models.CharField(help_text="of the file that proves it", max_length=64, null=True),
        ),
        migrations.AddField(
            model_name="importstatement",
            name="words_sha256",
            field=models.CharField(help_text="of the words that were agreed to", max_length=64, null=True),
        ),
        migrations.AddField(
            model_name="consentseal",
            name="records",
            field=models.BigIntegerField(db_default=1, help_text="how many the link covers"),
        ),
        migrations.AlterField(
            model_name="consentrecord",
            name="action",
            field=models.CharField(
                choices=[
                    ("GRANT", "Agreed"),
                    ("WITHDRAW", "Withdrew"),
                    ("STOP", "Said stop"),
                    ("START", "Came back"),
                    ("ERASE", "Emptied after the time of keeping"),
                    ("UNDO", "Import undone"),
                ],
                max_length=8,
            ),
        ),
        migrations.CreateModel(
            name="LedgerCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("checked_at", models.DateTimeField()),
                ("links", models.BigIntegerField()),
                ("records", models.BigIntegerField()),
                ("exported", models.BigIntegerField(help_text="links that were held against what lies outside")),
                ("findings", models.JSONField(default=list, help_text="in words, the first first; empty: unbroken")),
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
                "indexes": [models.Index(fields=["organization", "-checked_at"], name="ledger_checks")],
            },
        ),
        migrations.CreateModel(
            name="SealedBatch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("import_statement_id", models.BigIntegerField(null=True)),
                ("run_end_id", models.BigIntegerField(help_text="the last record of a run", null=True)),
                ("position", models.PositiveIntegerField(default=0, help_text="of the batch in its link")),
                ("last_record_id", models.BigIntegerField(help_text="the largest of their ids")),
                ("leaves", models.BinaryField(help_text="rules.seals.leaves_in")),
                ("root", models.CharField(help_text="Merkle root over the leaves", max_length=64)),
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
                        condition=models.Q(("import_statement_id", None)),
                        fields=["organization", "last_record_id"],
                        name="runs_by_last_record",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("import_statement_id", None), _negated=True),
                        fields=("import_statement_id", "position"),
                        name="batch_of_statement_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("run_end_id", None), _negated=True),
                        fields=("run_end_id",),
                        name="batch_of_run_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("run_end_id", None), ("import_statement_id", None), _connector="XOR"),
                        name="batch_of_one_link",
                    ),
                ],
            },
        ),
        TenantPolicy("consent_sealedbatch", "consent_ledgercheck"),
        AppendOnly("consent_sealedbatch"),
        migrations.RunSQL([(ERASE, None)], reverse_sql=[(FORGET, None)]),
        migrations.RunSQL(FORMER_OPT_OUTS, reverse_sql=migrations.RunSQL.noop),
        migrations.RunSQL(FORMER_UNDOS, reverse_sql=migrations.RunSQL.noop),
    ]
