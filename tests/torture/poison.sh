# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# About: T20 P4: one record in a hundred is refused for ever; it blocks only itself, and can be released
rounds=1000
reduced_rounds=5

# ROUNDS poison records among a hundred times as many good ones.
torture() {
  local poison=$1 parked good released
  query "INSERT INTO crm_bridge.crm_contact (first_name, last_name)
         SELECT 'poison', CASE WHEN n % 100 > 0 THEN 'poison ' || n END FROM generate_series(1, $poison * 100) AS n"
  wait_until "the good ones" 600 query_gives 0 "SELECT count(*) FROM crm_bridge.delivery WHERE state IN ('pending', 'in_flight')" || true
  good=$(scalar "SELECT count(*) FROM crm_bridge.crm_contact WHERE first_name = 'poison' AND external_id IS NOT NULL")
  parked=$(scalar "SELECT count(*) FROM crm_bridge.dead_letters AS l JOIN crm_bridge.crm_contact AS c ON c.id = l.record_id WHERE c.first_name = 'poison' AND l.state = 'parked' AND l.detail LIKE '%Last_Name%'")
  demand "each poison record is parked in the service's words, no other ($parked)" test "$parked" = "$poison"
  demand "the good ones are through ($good)" test "$good" = "$((poison * 99))"
  # Too big for the service, which an app may send it all the same where the organization says so.
  query "SELECT crm_bridge.set_setting('rule_mode', '\"send\"')" >/dev/null
  query "INSERT INTO crm_bridge.crm_contact (first_name, last_name) VALUES ('poison', repeat('x', 5000))"
  wait_until "the oversize one" 60 query_gives 1 "SELECT count(*) FROM crm_bridge.dead_letters AS l JOIN crm_bridge.crm_contact AS c ON c.id = l.record_id WHERE length(c.last_name) = 5000" || true
  demand "the oversize one is parked" test "$(scalar "SELECT count(*) FROM crm_bridge.delivery AS d JOIN crm_bridge.crm_contact AS c ON c.id = d.record_id WHERE length(c.last_name) = 5000 AND d.state = 'parked'")" = 1
  query "UPDATE crm_bridge.crm_contact SET last_name = 'poison mended' WHERE length(last_name) = 5000;
         UPDATE crm_bridge.crm_contact SET last_name = 'released ' || id WHERE first_name = 'poison' AND last_name IS NULL"
  settle
  released=$(scalar "SELECT count(*) FROM crm_bridge.crm_contact WHERE first_name = 'poison' AND last_name LIKE 'released %' AND external_id IS NOT NULL")
  demand "all are released" test "$released" = "$poison"
  conclude T20 "poison=$poison" "parked=$parked" "released=$released" blocked_others=$((poison * 99 - good))
}
