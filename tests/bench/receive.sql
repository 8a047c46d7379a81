-- SPDX-License-Identifier: PostgreSQL
-- Prints "kind|records a second" a round, and "written: N", the rows that reading 10,000 known records again wrote.
\pset tuples_only on
\pset format unaligned
SELECT crm_bridge.create_organization(1, 'receive') \g /dev/null
CREATE TABLE bare (LIKE crm_bridge.crm_deal INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES);
CREATE TABLE document (batch integer, records jsonb);

-- Ten calls of a thousand records, as a connector tells them.
CREATE FUNCTION fill(round integer) RETURNS void LANGUAGE sql AS $$
  TRUNCATE document;
  INSERT INTO document
  SELECT n / 1000, jsonb_agg(jsonb_build_object(
           'external_id', round || '-' || n, 'version', '2026-03-01T09:15:00+00:00', 'modified_at', '2026-03-01T09:15:00+00:00', 'modified_by', 'service',
           'fields', jsonb_build_object('deal_name', 'Deal ' || n, 'stage', 'Qualification', 'closing_date', '2026-12-01', 'amount', n, 'probability', 10,
                                        'next_step', 'call', 'description', repeat('words about the deal ', 5))))
    FROM generate_series(0, 9999) AS n GROUP BY 1;
$$;

CREATE PROCEDURE measure(kind text) LANGUAGE plpgsql AS $$
DECLARE
  begun timestamptz := clock_timestamp();
  each jsonb;
BEGIN
  FOR each IN SELECT d.records FROM document AS d ORDER BY d.batch LOOP
    IF kind = 'upsert' THEN
      INSERT INTO bare AS b (org_id, external_id, modified_at, modified_by, deal_name, stage, closing_date, amount, probability, next_step, description)
      SELECT 1, r.external_id, r.modified_at, r.modified_by, f.deal_name, f.stage, f.closing_date, f.amount, f.probability, f.next_step, f.description
        FROM jsonb_to_recordset(each) AS r (external_id text, modified_at timestamptz, modified_by text, fields jsonb)
       CROSS JOIN LATERAL jsonb_to_record(r.fields) AS f (deal_name text, stage text, closing_date date, amount numeric, probability numeric, next_step text, description text)
      ON CONFLICT (org_id, external_id) DO UPDATE
         SET modified_at = EXCLUDED.modified_at, modified_by = EXCLUDED.modified_by, deal_name = EXCLUDED.deal_name, stage = EXCLUDED.stage,
             closing_date = EXCLUDED.closing_date, amount = EXCLUDED.amount, probability = EXCLUDED.probability, next_step = EXCLUDED.next_step,
             description = EXCLUDED.description;
    ELSE
      PERFORM count(*) FROM crm_bridge.receive('crm_deal', each, clock_timestamp(), org_id => 1) AS r
        HAVING count(*) FILTER (WHERE r.outcome <> CASE kind WHEN 'new' THEN 'inserted' ELSE 'unchanged' END) > 0;
      IF FOUND THEN
        RAISE EXCEPTION 'a record was not %', kind;
      END IF;
    END IF;
    COMMIT;
  END LOOP;
  INSERT INTO measured VALUES (kind, 10000 / extract(epoch FROM clock_timestamp() - begun));
END $$;
CREATE TABLE measured (kind text, per_second float8);

CREATE FUNCTION written() RETURNS bigint LANGUAGE sql AS $$
  SELECT sum(pg_stat_get_xact_tuples_inserted(c.oid) + pg_stat_get_tuples_inserted(c.oid) + pg_stat_get_tuples_updated(c.oid) + pg_stat_get_tuples_deleted(c.oid))::bigint
    FROM pg_class AS c WHERE c.relnamespace = 'crm_bridge'::regnamespace AND c.relkind = 'r' $$;

SELECT fill(0) \g /dev/null
CALL measure('new');
CALL measure('upsert');
VACUUM ANALYZE;
DELETE FROM measured;
SELECT format('SELECT fill(%s)', n), 'CALL measure(''new'')', 'CALL measure(''upsert'')' FROM generate_series(1, 7) AS n \gexec
SELECT pg_stat_force_next_flush() \g /dev/null
SELECT written() AS before \gset
SELECT 'CALL measure(''unchanged'')' FROM generate_series(1, 7) \gexec
SELECT pg_stat_force_next_flush() \g /dev/null
SELECT 'written: ' || written() - :before;
SELECT kind || '|' || per_second FROM measured;
