from django.db import migrations

# With row-level security in force LIKE would be asked row by row after it, for it is not marked as leakproof: neither
# the index of trigrams nor the planner's figures could be used. So the owner asks, for the organization of the
# transaction and no other; the patterns are constants, so that the planner sees how frequent they are.
FOUND = """
CREATE FUNCTION found_contacts(patterns text[], after_id bigint, most integer, list_id bigint)
RETURNS SETOF bigint LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    ours bigint := NULLIF(current_setting('carillon.organization', true), '')::bigint;
    pattern text;
    words text := '';
BEGIN
    FOREACH pattern IN ARRAY patterns LOOP
        words := words || format(' AND s.words LIKE %L', pattern);
    END LOOP;
    IF list_id IS NOT NULL THEN
        words := words || format(
            ' AND EXISTS (SELECT 1 FROM contacts_listmember m WHERE m.organization_id = %s'
            ' AND m.contact_list_id = %s AND m.contact_id = s.contact_id)', ours, list_id);
    END IF;
    IF ours IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format(
        'SELECT s.contact_id FROM contacts_contactsearch s WHERE s.organization_id = %s AND s.contact_id > %s'
        ' %s ORDER BY s.contact_id LIMIT %s', ours, after_id, words, most);
END $$;
REVOKE ALL ON FUNCTION found_contacts(text[], bigint, integer, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION found_contacts(text[], bigint, integer, bigint) TO carillon_app
"""


class Migration(migrations.Migration):
    dependencies = [("contacts", "0005_search")]

    operations = [
        migrations.RunSQL(FOUND, reverse_sql="DROP FUNCTION found_contacts(text[], bigint, integer, bigint)"),
    ]
