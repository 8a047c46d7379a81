#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# The worker is killed and answers are lost: nothing is lost, nothing is doubled (P1, P2, P6; B3; T02, T07 reduced).

# shellcheck source=tests/harness/session.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/../harness/session.sh"
# shellcheck source=tests/harness/bridge.sh
source "$harness/bridge.sh"
close_session_at_exit
open_session
start_cluster
create_database crm_bridge
start_sandbox --projects-limit 0 --oauth-limit 0
PROJECTS_REQUESTS_PER_WINDOW=100000 WORKER_LEASE=2s set_up_bridge
# A default that the protocol is not made for: the worker minds its own.
query "ALTER ROLE crm_bridge_worker SET default_transaction_isolation = 'serializable'"
start_worker worker --config "$SESSION/worker.toml" run
activate_portal

settle() { wait_until "$1" 90 nothing_is_on_its_way || flunk "$1" "$(query "SELECT module, state, reason, detail FROM crm_bridge.delivery LIMIT 5")"; }
crm_names() { as_person GET "/control/crm/$1" | jq -r "(if type == \"array\" then . else (.data // .records) end)[].$2" | sort; }
fault() { as_person POST /control/faults "$1" >/dev/null; }

# Answers lost after the work was done.
fault '{"service":"crm","method":"POST","path_contains":"/Deals","times":2,"kind":"drop_after"}'
query "INSERT INTO crm_bridge.crm_deal (deal_name, stage) SELECT 'lost ' || n, 'Qualification' FROM generate_series(1, 5) AS n"
settle "deals whose answers were lost"
check_equal "B3 T07 deals whose answers were lost exist once" "$(printf 'lost %s\n' 1 2 3 4 5)" "$(crm_names Deals Deal_Name)"
fault '{"service":"projects","method":"POST","path_contains":"/projects","times":1,"kind":"drop_after"}'
query "SELECT crm_bridge.create_project_from_deal(id) FROM crm_bridge.crm_deal WHERE deal_name = 'lost 1'" >/dev/null
settle "a project whose answer was lost"
check_equal "B3 T07 a project whose answer was lost exists once" '["lost 1"]' "$(as_person GET /control/projects/20639270/projects | jq -c '[.[].name]')"
check_query "the one record stands here once, with its external id" '1|1' "SELECT count(*), count(external_id) FROM crm_bridge.projects_project"
fault '{"service":"crm","method":"PUT","path_contains":"/Deals","times":1,"kind":"drop_after"}'
query "UPDATE crm_bridge.crm_deal SET next_step = 'call' WHERE deal_name = 'lost 2'"
settle "an update whose answer was lost"
check_query "an update whose answer was lost is not taken for somebody else's" 0 "SELECT count(*) FROM crm_bridge.conflict"

# A service that is out of order for a while.
fault '[{"service":"crm","method":"PUT","path_contains":"/Deals","times":3,"kind":"status","status":503},
        {"service":"crm","method":"PUT","path_contains":"/Deals","times":1,"kind":"rate_limited"},
        {"service":"crm","method":"PUT","path_contains":"/Deals","times":1,"kind":"expire_token"}]'
query "UPDATE crm_bridge.crm_deal SET next_step = 'write'"
settle "updates through an outage"
check_equal "T12 T15 updates get through outage, limit and expired token" "$(printf 'write\n%.0s' 1 2 3 4 5)" "$(crm_names Deals Next_Step)"

# Killed at random points while work is going on.
for round in 1 2 3 4 5; do
  query "INSERT INTO crm_bridge.crm_account (account_name) SELECT format('account %s-%s', $round, n) FROM generate_series(1, 150) AS n"
  query "UPDATE crm_bridge.crm_deal SET next_step = 'round $round'"
  wait_until "work in flight" 30 query_gives t "SELECT EXISTS (SELECT 1 FROM crm_bridge.shadow WHERE module = 'crm_account')
     OR EXISTS (SELECT 1 FROM crm_bridge.delivery WHERE state = 'in_flight')"
  stop_process worker KILL
  start_worker worker --config "$SESSION/worker.toml" run
done
settle "everything after five kills"
check_equal "T01 nothing is lost and nothing doubled over five kills" \
  "$(for round in 1 2 3 4 5; do for n in $(seq 150); do echo "account $round-$n"; done; done | sort)" "$(crm_names Accounts Account_Name)"
check_equal "P3 the service ends on the last committed value" "$(printf 'round 5\n%.0s' 1 2 3 4 5)" "$(crm_names Deals Next_Step)"
check_query "every record knows its external id" 0 "SELECT count(*) FROM crm_bridge.crm_account WHERE external_id IS NULL"

# The server is killed under the worker.
stop_server immediate
start_server
query "UPDATE crm_bridge.crm_deal SET next_step = 'after the crash'"
settle "work after a crash of the server"
check_equal "K5 T03 the worker goes on after the server's crash" "$(printf 'after the crash\n%.0s' 1 2 3 4 5)" "$(crm_names Deals Next_Step)"

# A record that the service refuses blocks only itself.
query "INSERT INTO crm_bridge.crm_contact (first_name) VALUES ('Nameless')"
query "INSERT INTO crm_bridge.crm_contact (last_name) VALUES ('Named')"
check_eventually "P4 a record that the service refuses is parked with its words" 'parked|t' \
  "SELECT state, detail LIKE '%required field not found%' OR reason LIKE '%MANDATORY%' FROM crm_bridge.dead_letters"
check_eventually "P4 the next one is not held up" t "SELECT external_id IS NOT NULL FROM crm_bridge.crm_contact WHERE last_name = 'Named'"
query "UPDATE crm_bridge.crm_contact SET last_name = 'Somebody' WHERE first_name = 'Nameless'"
settle "the mended record"
check_equal "P4 a record that was mended is sent by itself" "$(printf 'Named\nSomebody')" "$(crm_names Contacts Last_Name)"
finish
