# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# About: T07 B3: exactly one remote record for each create, whatever happens to it; a stranger's record is never touched
rounds=1000
reduced_rounds=40

# What may happen to the request that creates a record; the two that hold it end with the worker being killed.
fates=('"kind":"drop_before"' '"kind":"drop_after"' '"kind":"cut","at":20' '"kind":"cut","at":180,"reset":true' '"kind":"status","status":500'
  '"kind":"spoil","how":"truncated"' '"kind":"spoil","how":"empty"' '"kind":"spoil","how":"rows_missing"' '"kind":"spoil","how":"strange_types"'
  '"kind":"hold_answer","delay_ms":7000' '"kind":"hold_answer","delay_ms":600000' '"kind":"delay","delay_ms":600000')
group=10

# One create at one service; every fourth has a stranger of the same name there already, who knows nothing of us.
one_create() {
  local n=$1 service=$2 name="create $1" stranger=''
  draw 4
  ((drawn > 0)) || { stranger=yes && name="stranger $n"; }
  if [[ $service == crm ]]; then
    [[ -z $stranger ]] || as_person POST /control/crm/Deals "{\"Deal_Name\":\"$name\",\"Stage\":\"Qualification\",\"Description\":\"untouched\"}" >/dev/null
    query "INSERT INTO crm_bridge.crm_deal (deal_name, stage, description) VALUES ('$name', 'Qualification', 'ours')"
  else
    [[ -z $stranger ]] || as_person POST "/control/projects/$portal/tasks" \
      "{\"project_id\":\"$create_project\",\"tasklist\":{\"id\":\"$create_list\"},\"name\":\"$name\",\"description\":\"untouched\"}" >/dev/null
    query "INSERT INTO crm_bridge.projects_task (name, description, project_id, task_list_id, portal_id)
           SELECT '$name', 'ours', project_id, task_list_id, portal_id FROM crm_bridge.projects_task WHERE name = 'create task 1'"
  fi
  [[ -z $stranger ]] || strangers=$((strangers + 1))
}

torture() {
  local n service path kills=0 strangers=0 strange_crm strange_projects ours
  make_tasks create 1
  create_project=$(scalar "SELECT external_id FROM crm_bridge.projects_project WHERE name = 'create project 1'")
  create_list=$(scalar "SELECT l.external_id FROM crm_bridge.projects_task_list AS l WHERE l.name = 'create list'")
  for ((n = 1; n <= $1; n++)); do
    draw 2
    service=crm path=/Deals
    ((drawn == 0)) || { service=projects && path=/tasks; }
    draw ${#fates[@]}
    fault "{\"service\":\"$service\",\"method\":\"POST\",\"path_contains\":\"$path\",${fates[drawn]}}"
    one_create "c$n" "$service"
    ((n % group == 0 || n == $1)) || continue
    # Some of the ten are held back by now, some wait; the worker dies over them at an instant that nobody chose.
    pause_up_to 700
    kill_worker
    clear_faults
    draw 3
    ((drawn > 0)) || fault '[{"service":"crm","method":"POST","path_contains":"/coql","kind":"status","status":503},{"service":"projects","method":"GET","path_contains":"/tasks","kind":"drop_after"}]'
    start_our_worker
    kills=$((kills + 1))
    settle
  done
  # A stranger's unique value: our record is refused and says so, his stays as it is.
  if as_person POST /control/crm-fields/Deals '{"api_name":"Serial","data_type":"text","length":50,"unique":true}' >/dev/null 2>&1; then
    query "SELECT crm_bridge._request_command('zoho_crm', 'refresh_metadata', '{}', 1)" >/dev/null
    wait_until "the field" 30 query_gives 1 "SELECT count(*) FROM crm_bridge.service_field WHERE module = 'crm_deal' AND field = 'Serial'" || true
    as_person POST /control/crm/Deals '{"Deal_Name":"create unique","Stage":"Qualification","Serial":"S-1","Description":"untouched"}' >/dev/null
    query "INSERT INTO crm_bridge.crm_deal (deal_name, stage, description, custom_fields) VALUES ('create with his serial', 'Qualification', 'ours', '{\"Serial\": \"S-1\"}')"
    wait_until "the refusal" 30 query_gives 1 "SELECT count(*) FROM crm_bridge.dead_letters WHERE detail LIKE '%Serial%' AND reason = 'duplicate'" || true
    demand "a stranger's unique value parks our record, with the field's name" test "$(scalar "SELECT count(*) FROM crm_bridge.dead_letters WHERE detail LIKE '%Serial%' AND reason = 'duplicate'")" = 1
    demand "the stranger keeps his value" test "$(as_person GET /control/crm/Deals | jq -r '[.[] | select(.Serial == "S-1" and .Description == "untouched")] | length')" = 1
    query "UPDATE crm_bridge.crm_deal SET custom_fields = '{\"Serial\": \"S-2\"}' WHERE deal_name = 'create with his serial'"
    settle
  fi
  strange_crm=$(as_person GET /control/crm/Deals | jq '[.[] | select((.Deal_Name | startswith("stranger ")) and .Description == "untouched")] | length')
  strange_projects=$(as_person GET "/control/projects/$portal/tasks" | jq '[.[] | select((.name | startswith("stranger ")) and .description == "untouched")] | length')
  ours=$(($(as_person GET /control/crm/Deals | jq '[.[] | select((.Deal_Name | startswith("stranger ")) and .Description == "ours")] | length') + $(as_person GET "/control/projects/$portal/tasks" | jq '[.[] | select((.name | startswith("stranger ")) and .description == "ours")] | length')))
  demand "no stranger was touched ($((strange_crm + strange_projects)) of $strangers)" test $((strange_crm + strange_projects)) = "$strangers"
  demand "ours of the same name is there once ($ours of $strangers)" test "$ours" = "$strangers"
  conclude T07 kind=create "mechanism=crm:bridge_field,projects:lookup" "ops=$1" "kills=$kills" "strangers=$strangers" "strangers_touched=$((strangers - strange_crm - strange_projects))"
}
