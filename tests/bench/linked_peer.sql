-- SPDX-License-Identifier: PostgreSQL
-- The sides of linked_bench.sh.  "bare" is two tables without triggers.  "plpgsql" is what somebody would write who wants the
-- outcome of crm_bridge without it.  All sides are written by the same role: an app's that stands for a person.
--
-- What the peer does, because crm_bridge does it in the very same statements:
--   who    row security of the role's organization; one look-up for a statement of whom the role stands for, whether he is active
--          and may write; his name in the row and in the log of both tables (peer.admit)
--   guard  keys, origin and stamps are not the writer's, a write that changes nothing leaves no trace, fields that the service
--          computes are refused, texts are within its lengths, custom fields are an object (peer.stamp_*)
--   log    old values of what changed, in a table partitioned by time with the three indexes that ours has
--   queue  one row a record, its fields joined; who finds it held by a worker leaves a request and does not wait; a row that
--          was stopped is due again (peer.capture)
--   bell   NOTIFY for each service, at most once in 100 ms a session, because NOTIFY takes a lock on the whole cluster
--   twin   link and twin are locked without waiting, or a request with the old values is left; one with a request is not
--          overtaken; six fields, three-way, the newer edit wins and the loser is kept; a strict project's dates, a closed parent;
--          time zone and whether such rules refuse or are off, from the organization's row
--   rights the triggers write machinery tables that the app has no grant on, so they are SECURITY DEFINER with a pinned search_path
-- Each is written in the way that costs plpgsql little; where crm_bridge reads configuration that an administrator may change, the
-- columns, the mapping, its policies, the lengths and the writable fields are written out in code here (comparing the columns
-- one by one takes 4 us a row, a general comparison over jsonb 32).
--
-- What it still does not do: the way back from Projects and further links; policies a field and their reasons; custom fields
-- one by one; writes above READ COMMITTED; telling losers and whoever is refused; messages that hide what one may not view; rights that an
-- app's own triggers cannot pass by; deletions, undo, restore.
CREATE SCHEMA peer;

CREATE TABLE peer.bare_crm_task (LIKE crm_bridge.crm_task INCLUDING ALL);
CREATE TABLE peer.bare_projects_task (LIKE crm_bridge.projects_task INCLUDING ALL);

CREATE TABLE peer.crm_task (LIKE crm_bridge.crm_task INCLUDING ALL);
CREATE TABLE peer.projects_task (LIKE crm_bridge.projects_task INCLUDING ALL);
CREATE TABLE peer.projects_project (LIKE crm_bridge.projects_project INCLUDING ALL);
CREATE TABLE peer.link (LIKE crm_bridge.link INCLUDING ALL) WITH (fillfactor = 80);
CREATE TABLE peer.conflict (LIKE crm_bridge.conflict INCLUDING ALL);
-- Ours are written without asking their constraints, so its own need none.
CREATE TABLE peer.delivery (LIKE crm_bridge.delivery INCLUDING DEFAULTS INCLUDING INDEXES) WITH (fillfactor = 60);
CREATE TABLE peer.reconcile_request (LIKE crm_bridge.reconcile_request INCLUDING ALL);
CREATE TABLE peer.log (
  org_id     bigint      NOT NULL,
  at         timestamptz NOT NULL DEFAULT clock_timestamp(),
  event_id   uuid        NOT NULL DEFAULT crm_bridge.new_id(),
  record_id  uuid        NOT NULL,
  module     text        NOT NULL,
  operation  text        NOT NULL,
  origin     text        NOT NULL,
  actor      text        NOT NULL,
  xid        xid8        NOT NULL DEFAULT pg_current_xact_id(),
  run_id     uuid,
  old        jsonb
) PARTITION BY RANGE (at);
CREATE TABLE peer.log_default PARTITION OF peer.log (PRIMARY KEY (org_id, at, event_id)) DEFAULT;
CREATE INDEX ON peer.log_default (org_id, record_id, at);
CREATE INDEX ON peer.log_default USING brin (org_id, (xid::text::bigint));

CREATE TABLE peer.organization (
  org_id     bigint PRIMARY KEY,
  time_zone  text   NOT NULL,
  rule_mode  text   NOT NULL
);
INSERT INTO peer.organization VALUES (1, 'Europe/Berlin', 'reject');

-- Whom a role stands for, and what his profile may: apps may read it, their policies do.
CREATE TABLE peer.person (
  role       name    PRIMARY KEY,
  org_id     bigint  NOT NULL,
  email      text    NOT NULL,
  is_active  boolean NOT NULL,
  may_write  boolean NOT NULL,
  may_view   boolean NOT NULL,
  may_edit   boolean NOT NULL
);

ALTER TABLE peer.crm_task ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON peer.crm_task USING (org_id = (SELECT p.org_id FROM peer.person AS p WHERE p.role = session_user));
ALTER TABLE peer.projects_task ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON peer.projects_task
  USING (org_id = (SELECT p.org_id FROM peer.person AS p WHERE p.role = session_user AND p.may_view));

\ir linked_peer_triggers.sql
