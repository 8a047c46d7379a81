#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# What pending_changes() lists in a transaction is what the worker then sends, request by request (B4).

# shellcheck source=tests/harness/session.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/../harness/session.sh"
# shellcheck source=tests/harness/bridge.sh
source "$harness/bridge.sh"
close_session_at_exit
open_session
start_cluster
create_database crm_bridge
start_sandbox --projects-limit 0
WORKER_POLL_INTERVAL=300ms PROJECTS_SWEEP_INTERVAL=100ms PROJECTS_REQUESTS_PER_WINDOW=100000 set_up_bridge
start_worker worker --config "$SESSION/worker.toml" run
activate_portal

settle() { wait_until "$1" 60 nothing_is_on_its_way || flunk "$1" "$(query "SELECT module, state, reason, detail FROM crm_bridge.delivery")"; }
requests() { as_person GET '/control/requests?limit=20000' | jq -c '[(.requests // .)[] | select(.method != "GET" and (.path | test("oauth|actions") | not))]'; }

query "INSERT INTO crm_bridge.crm_account (account_name, phone) VALUES ('Acme', '1'), ('Gone', '2')"
query "INSERT INTO crm_bridge.crm_deal (deal_name, stage, account_id) SELECT 'Routers', 'Qualification', id FROM crm_bridge.crm_account WHERE account_name = 'Acme'"
query "SELECT crm_bridge.create_project_from_deal(id) FROM crm_bridge.crm_deal" >/dev/null
settle "the scene"

# What a transaction lists, and what the services were asked to do since: [module, request, remote id, fields by the service's names].  References
# are left out of both: here they are our ids, there the service's, in the body or in the path.
plain_fields=$(query "SELECT jsonb_agg(DISTINCT f.api_name) FROM crm_bridge.service_field AS f WHERE f.type NOT IN ('reference', 'references') AND NOT f.addresses")
pending="SELECT jsonb_build_array(m.api_name, c.request, COALESCE(s.external_id, ''),
           COALESCE((SELECT jsonb_object_agg(f.api_name, v.value) FROM jsonb_each(c.fields) AS v
                       JOIN crm_bridge.service_field AS f ON f.module = c.module AND f.field = v.key
                      WHERE f.type NOT IN ('reference', 'references') AND NOT f.addresses AND c.request <> 'delete'), '{}'))
    FROM crm_bridge.pending_changes() AS c JOIN crm_bridge.module AS m ON m.module = c.module
    LEFT JOIN crm_bridge.shadow AS s ON s.record_id = c.record_id AND c.request <> 'create'"
listed_by() { query "BEGIN; $1; $pending; COMMIT" | grep '^\[' | jq -cS . | LC_ALL=C sort; }
sent_since() {
  requests | jq -cS --argjson plain "$plain_fields" ".[$1:][]
    | (.path | split(\"/\")) as \$path
    | (if .method == \"POST\" then \"create\" elif .method == \"DELETE\" then \"delete\" else \"update\" end) as \$request
    | if .method == \"DELETE\" then ((.query | capture(\"ids=(?<ids>[0-9,%C]+)\").ids // null) // \$path[-1] | gsub(\"%2C\"; \",\")) as \$ids
           | (if .query | test(\"ids=\") then \$path[-1] else \$path[-2] end) as \$of
           | (\$ids | split(\",\")[]) as \$id | [\$of, \"delete\", \$id, {}]
      elif .service == \"projects\" then [(if \$request == \"create\" then \$path[-1] else \$path[-2] end), \$request,
                                        (if \$request == \"create\" then \"\" else \$path[-1] end), (.body | fromjson)]
      else (if \$path[-1] | test(\"^[0-9]+\$\") then \$path[-2] else \$path[-1] end) as \$of
         | (.body | fromjson).data[] | [\$of, \$request, (.id // (if \$request == \"update\" then \$path[-1] else \"\" end)), del(.id, .Bridge_Id)] end
    | .[3] |= with_entries(select(.key as \$key | \$plain | index(\$key)))" | LC_ALL=C sort
}
# listed_is_sent NAME HOW_MANY TRANSACTION
listed_is_sent() {
  local before listed
  before=$(requests | jq 'length')
  listed=$(listed_by "$3")
  settle "$1"
  check_equal "B4 $1: so many requests are listed" "$2" "$(grep -c . <<<"$listed")"
  check_equal "B4 $1: what is listed is what is sent, record by record, field by field, value by value" "$listed" "$(sent_since "$before")"
}

# What a transaction made and deleted itself, and what it rolled back, is not among them (B6).
listed_is_sent "records of the CRM and a project" 5 "
  UPDATE crm_bridge.crm_account SET phone = '3', website = 'https://acme.example' WHERE account_name = 'Acme';
  UPDATE crm_bridge.crm_account SET website = 'https://www.acme.example' WHERE account_name = 'Acme';
  DELETE FROM crm_bridge.crm_account WHERE account_name = 'Gone';
  INSERT INTO crm_bridge.crm_contact (last_name, email) VALUES ('Ann', 'ann@acme.example'), ('Ben', 'ben@acme.example');
  INSERT INTO crm_bridge.crm_lead (last_name, company) VALUES ('Never', 'Nobody');
  DELETE FROM crm_bridge.crm_lead;
  UPDATE crm_bridge.projects_project SET name = 'Rollout';
  SAVEPOINT tried;
  UPDATE crm_bridge.crm_deal SET stage = 'Negotiation/Review';
  INSERT INTO crm_bridge.crm_lead (last_name, company) VALUES ('Rolled', 'Back');
  ROLLBACK TO SAVEPOINT tried"
check_query "B4 once it is sent nothing is listed" 0 "SELECT count(*) FROM crm_bridge.pending_changes()"

# What a service adds of its own (an owner, a status) comes back and travels on: no task here lacks any.
# Tasks: made in Projects, then added to the CRM, then one face is written and both services hear of it.
project=$(query "SELECT external_id FROM crm_bridge.projects_project")
as_person POST /control/projects/20639270/tasklists "{\"project_id\":\"$project\",\"name\":\"Rollout\"}" >/dev/null
wait_until "the list" 60 query_gives 1 "SELECT count(*) FROM crm_bridge.projects_task_list WHERE name = 'Rollout'"
listed_is_sent "tasks of a project" 2 "
  INSERT INTO crm_bridge.projects_task (name, priority, owner_ids, project_id, task_list_id, portal_id)
  SELECT n, 'low', ARRAY(SELECT u.id FROM crm_bridge.projects_user AS u WHERE u.email = 'mira.holt@example.com'), p.id, l.id, p.portal_id FROM crm_bridge.projects_project AS p, crm_bridge.projects_task_list AS l, (VALUES ('Survey'), ('Wiring')) AS v (n) WHERE l.name = 'Rollout'"
check_eventually "Projects says that both are open" 2 "SELECT count(*) FROM crm_bridge.projects_task WHERE is_completed = false"
listed_is_sent "tasks that are added to the CRM" 2 "
  SELECT count(crm_bridge.add_task_to_crm(t.id, d.id)) FROM crm_bridge.projects_task AS t, crm_bridge.crm_deal AS d"
listed_is_sent "one face of a link is written, and both services hear of it" 3 "
  UPDATE crm_bridge.crm_task SET subject = 'Survey the site', description = 'with a ladder' WHERE subject = 'Survey';
  UPDATE crm_bridge.projects_task SET key = key WHERE name = 'Wiring';
  UPDATE crm_bridge.crm_deal SET next_step = 'Call'"

# Comments: a note's comment, the other way round, edited, deleted.
listed_is_sent "a note and its comment, a comment and its note" 4 "
  INSERT INTO crm_bridge.crm_note (content, task_id) SELECT 'Bring a ladder', t.id FROM crm_bridge.crm_task AS t WHERE t.subject = 'Survey the site';
  INSERT INTO crm_bridge.projects_comment (content, task_id, project_id, portal_id)
  SELECT 'Ladder is there', t.id, t.project_id, t.portal_id FROM crm_bridge.projects_task AS t WHERE t.name = 'Survey the site'"
listed_is_sent "a comment that is edited" 2 "UPDATE crm_bridge.crm_note SET content = 'Bring two ladders' WHERE content = 'Bring a ladder'"
listed_is_sent "a comment that is deleted" 2 "DELETE FROM crm_bridge.crm_note WHERE content = 'Bring two ladders'"

# A record that the service refused: it is listed and sent with the transaction that mends it, and with no other.
query "INSERT INTO crm_bridge.crm_contact (first_name) VALUES ('Nameless')"
check_eventually "a record without a name is parked" parked "SELECT d.state FROM crm_bridge.delivery AS d JOIN crm_bridge.crm_contact AS c ON c.id = d.record_id WHERE c.first_name = 'Nameless'"
listed_is_sent "beside a parked record" 1 "UPDATE crm_bridge.crm_account SET phone = '4' WHERE account_name = 'Acme'"
listed_is_sent "a parked record is mended" 1 "UPDATE crm_bridge.crm_contact SET last_name = 'Named' WHERE first_name = 'Nameless'"

# A task is deleted on one side: the other stays (D2).
listed_is_sent "a linked task is deleted" 1 "DELETE FROM crm_bridge.projects_task WHERE name = 'Wiring'"

# A mass deletion is held: it is not sent before a person approves it.
query "SELECT crm_bridge.set_setting('mass_change_limit', '2')" >/dev/null
query "INSERT INTO crm_bridge.crm_lead (last_name, company) SELECT 'Lead ' || n, 'Acme' FROM generate_series(1, 3) AS n"
settle "leads"
before=$(requests | jq 'length')
listed=$(listed_by "DELETE FROM crm_bridge.crm_lead")
check_eventually "B7 the deletion of all leads is held" held "SELECT state FROM crm_bridge.run WHERE kind = 'mass_change'"
check_equal "B4 what is held is not sent" "" "$(sent_since "$before")"
query "SELECT crm_bridge.approve_run(run_id) FROM crm_bridge.run WHERE kind = 'mass_change'" >/dev/null
settle "the approved deletion"
check_equal "B4 approved, what was listed is what is sent" "$listed" "$(sent_since "$before")"
finish
