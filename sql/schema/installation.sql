-- SPDX-License-Identifier: PostgreSQL
\echo Use "CREATE EXTENSION crm_bridge" to load this file. \quit

-- Nothing in this script is looked up through a path that somebody else could have filled.
SET LOCAL search_path TO pg_catalog, pg_temp;

DO $check$
DECLARE
  owner_is_superuser boolean;
  strangers bigint;
BEGIN
  IF pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.<>) 'UTF8' THEN
    RAISE EXCEPTION USING ERRCODE = '0A000',
      MESSAGE = 'crm_bridge needs a database with encoding UTF8',
      DETAIL = pg_catalog.format('The encoding of this database is %s.', pg_catalog.getdatabaseencoding()),
      HINT = 'Create one with CREATE DATABASE name ENCODING ''UTF8'' TEMPLATE template0.';
  END IF;
  SELECT r.rolsuper,
         (SELECT pg_catalog.count(*) FROM pg_catalog.pg_class AS c WHERE c.relnamespace OPERATOR(pg_catalog.=) n.oid)
         OPERATOR(pg_catalog.+)
         (SELECT pg_catalog.count(*) FROM pg_catalog.pg_proc AS p WHERE p.pronamespace OPERATOR(pg_catalog.=) n.oid)
         OPERATOR(pg_catalog.+)
         (SELECT pg_catalog.count(*) FROM pg_catalog.pg_type AS t WHERE t.typnamespace OPERATOR(pg_catalog.=) n.oid)
         OPERATOR(pg_catalog.+)
         (SELECT pg_catalog.count(*) FROM pg_catalog.pg_operator AS o WHERE o.oprnamespace OPERATOR(pg_catalog.=) n.oid)
    INTO owner_is_superuser, strangers
    FROM pg_catalog.pg_namespace AS n
    JOIN pg_catalog.pg_roles AS r ON r.oid OPERATOR(pg_catalog.=) n.nspowner
   WHERE n.nspname OPERATOR(pg_catalog.=) 'crm_bridge';
  IF NOT owner_is_superuser OR strangers OPERATOR(pg_catalog.>) 0 THEN
    RAISE EXCEPTION USING ERRCODE = '55000',
      MESSAGE = 'schema "crm_bridge" is not fit for the extension',
      DETAIL = 'It must be empty and owned by a superuser, because privileged code will live in it.',
      HINT = 'Drop or rename it, then run CREATE EXTENSION crm_bridge again.';
  END IF;
END
$check$;

-- Which server this database was set up on.  Never dumped: a restored copy must not send what the original sends.
CREATE TABLE crm_bridge.installation (
  only_row           boolean     NOT NULL DEFAULT true,
  system_identifier  bigint      NOT NULL,
  database_oid       oid         NOT NULL,
  timeline           bigint      NOT NULL,
  epoch              integer     NOT NULL,
  reason             text        NOT NULL,
  armed_at           timestamptz NOT NULL,
  maintained_at      timestamptz,
  CONSTRAINT installation_key PRIMARY KEY (only_row),
  CONSTRAINT installation_has_one_row CHECK (only_row),
  CONSTRAINT installation_reason_known CHECK (reason IN ('created', 'restored', 'promoted', 'upgraded'))
);
COMMENT ON TABLE crm_bridge.installation IS
  'identity of the server that may send and receive for this database; written by the first create_organization and by start_here, never dumped';
COMMENT ON COLUMN crm_bridge.installation.only_row IS 'always true: the table has at most one row';
COMMENT ON COLUMN crm_bridge.installation.system_identifier IS 'the cluster''s identifier, as in pg_control_system()';
COMMENT ON COLUMN crm_bridge.installation.database_oid IS 'the database''s oid';
COMMENT ON COLUMN crm_bridge.installation.timeline IS 'the WAL timeline; a promoted standby has another one';
COMMENT ON COLUMN crm_bridge.installation.epoch IS 'counts the times that start_here was called';
COMMENT ON COLUMN crm_bridge.installation.reason IS 'why this row was written';
COMMENT ON COLUMN crm_bridge.installation.armed_at IS 'when this row was written';
COMMENT ON COLUMN crm_bridge.installation.maintained_at IS 'when house-keeping was done here last; whoever does it holds the row';
