-- SPDX-License-Identifier: PostgreSQL
-- Cost of single writes and of claims beside :n records that all wait to be sent; prints "kind|milliseconds", medians.
SET synchronous_commit = off;
SELECT crm_bridge.create_organization(1, 'growth') \g /dev/null
INSERT INTO crm_bridge.crm_deal (deal_name, stage, amount) SELECT 'deal ' || n, 'Qualification', n FROM generate_series(1, :n) AS n;
VACUUM ANALYZE crm_bridge.delivery;
VACUUM ANALYZE crm_bridge.crm_deal;
CREATE TEMP TABLE measured (kind text, milliseconds float8);
DO $$
DECLARE
  lease uuid := crm_bridge.new_id();
  begun timestamptz;
  ids uuid[] := ARRAY(SELECT d.id FROM crm_bridge.crm_deal AS d ORDER BY md5(d.id::text) LIMIT 2000);
BEGIN
  PERFORM crm_bridge.heartbeat(lease, 'growth', '1 hour');
  FOR i IN 1..30 LOOP
    begun := clock_timestamp();
    PERFORM count(*) FROM crm_bridge.claim('zoho_crm', 100, lease, org_id => 1);
    INSERT INTO measured VALUES ('claim of 100', extract(epoch FROM clock_timestamp() - begun) * 1000);
    COMMIT;
  END LOOP;
  FOR i IN 1..2000 LOOP
    begun := clock_timestamp();
    UPDATE crm_bridge.crm_deal SET next_step = 'step ' || i WHERE org_id = 1 AND id = ids[i];
    INSERT INTO measured VALUES ('UPDATE of one', extract(epoch FROM clock_timestamp() - begun) * 1000);
    COMMIT;
    begun := clock_timestamp();
    INSERT INTO crm_bridge.crm_deal (org_id, deal_name, stage) VALUES (1, 'one more', 'Qualification');
    INSERT INTO measured VALUES ('INSERT of one', extract(epoch FROM clock_timestamp() - begun) * 1000);
    COMMIT;
  END LOOP;
END
$$;
SELECT kind, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY milliseconds)::numeric, 4) FROM measured GROUP BY kind ORDER BY kind;
