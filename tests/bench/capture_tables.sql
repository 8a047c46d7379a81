-- SPDX-License-Identifier: PostgreSQL
-- The sides of capture_bench.sh: copies of the mirror with its defaults, constraints and indexes.
SELECT crm_bridge.create_organization(1, 'Bench');

CREATE SCHEMA peer;

CREATE FUNCTION peer.account(number bigint) RETURNS uuid
LANGUAGE sql IMMUTABLE
RETURN ('018f0000-0000-7000-8000-' || lpad(to_hex(number), 12, '0'))::uuid;

CREATE TABLE peer.bare (LIKE crm_bridge.crm_deal INCLUDING ALL);

CREATE TABLE peer.pgq (LIKE crm_bridge.crm_deal INCLUDING ALL);
SELECT pgq.create_queue('deals');
CREATE TRIGGER capture AFTER INSERT OR UPDATE OR DELETE ON peer.pgq FOR EACH ROW EXECUTE FUNCTION pgq.logutriga('deals');

CREATE FUNCTION peer.truncate_queue() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
  EXECUTE 'TRUNCATE ' || (SELECT string_agg(c.oid::regclass::text, ', ')
                            FROM pg_class AS c JOIN pg_inherits AS i ON i.inhrelid = c.oid
                           WHERE i.inhparent = (SELECT q.queue_data_pfx FROM pgq.queue AS q WHERE q.queue_name = 'deals')::regclass);
END
$$;

CREATE TABLE peer.plpgsql (LIKE crm_bridge.crm_deal INCLUDING ALL);
CREATE TABLE peer.log (
  event_id   bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at         timestamptz NOT NULL DEFAULT now(),
  operation  text        NOT NULL,
  org_id     bigint      NOT NULL,
  record_id  uuid        NOT NULL,
  old        jsonb,
  new        jsonb
);
CREATE FUNCTION peer.log() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  INSERT INTO peer.log (operation, org_id, record_id, old, new)
  VALUES (TG_OP, COALESCE(NEW.org_id, OLD.org_id), COALESCE(NEW.id, OLD.id), to_jsonb(OLD), to_jsonb(NEW));
  RETURN NULL;
END
$$;
CREATE TRIGGER capture AFTER INSERT OR UPDATE OR DELETE ON peer.plpgsql FOR EACH ROW EXECUTE FUNCTION peer.log();

CREATE TABLE peer.lock_wait (side text, waiting bigint, samples bigint);
