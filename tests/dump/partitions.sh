# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# Partitions of history come and go while sessions are writing: each event goes where it belongs at once.

check_partitions() {
  use_server "$SESSION"
  create_database partitions
  check_equal "one session writes to the partition of the moment" "crm_bridge.history_default|insert
crm_bridge.later|update
crm_bridge.history_default|delete" "$("$server/bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 <<'SQL'
\o /dev/null
SELECT crm_bridge.create_organization(1, 'Zylker');
INSERT INTO crm_bridge.crm_account (account_name) VALUES ('Acme');
CREATE TABLE crm_bridge.later PARTITION OF crm_bridge.history
  (CONSTRAINT later_key PRIMARY KEY (org_id, at, event_id)) FOR VALUES FROM (clock_timestamp()) TO (MAXVALUE);
UPDATE crm_bridge.crm_account SET phone = '1';
ALTER TABLE crm_bridge.history DETACH PARTITION crm_bridge.later;
DELETE FROM crm_bridge.crm_account;
\o
SELECT h.tableoid::regclass, h.operation
  FROM (SELECT tableoid, at, operation FROM crm_bridge.history UNION ALL SELECT tableoid, at, operation FROM crm_bridge.later) AS h
 ORDER BY h.at;
SQL
)"
  query "DELETE FROM crm_bridge.history"
  check "a partition can be attached again" query "ALTER TABLE crm_bridge.history ATTACH PARTITION crm_bridge.later FOR VALUES FROM ('2000-01-01') TO (MAXVALUE)"
  query "INSERT INTO crm_bridge.crm_account (account_name) VALUES ('Acme again')"
  check_query "what is attached is written to" "crm_bridge.later|insert" \
    "SELECT tableoid::regclass, operation FROM crm_bridge.history ORDER BY at DESC LIMIT 1"
  query "DROP TABLE crm_bridge.later; INSERT INTO crm_bridge.crm_account (account_name) VALUES ('Once more')"
  check_query "retention is a DROP" "crm_bridge.history_default|insert" "SELECT tableoid::regclass, operation FROM crm_bridge.history"
  query "DELETE FROM crm_bridge.history;
         CREATE TABLE crm_bridge.shuffled (was_here integer, LIKE crm_bridge.history);
         ALTER TABLE crm_bridge.shuffled DROP COLUMN was_here;
         ALTER TABLE crm_bridge.history ATTACH PARTITION crm_bridge.shuffled FOR VALUES FROM (MINVALUE) TO (MAXVALUE)"
  check_refused "a partition of another layout is refused by name" 55000 "CREATE TABLE ... PARTITION OF" \
    "INSERT INTO crm_bridge.crm_account (account_name) VALUES ('Refused')"
  use_database postgres
}
