#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Bigin, Projects and the CRM in step: companies and clients, contacts and client users, both ways, three faces with the account, a
# worker that is killed in between, lost answers; people imported from Bigin and from Office 365's directory (R131-R134, R138-R142,
# B1, B3, B11).

# shellcheck source=tests/harness/session.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/../harness/session.sh"
# shellcheck source=tests/harness/bridge.sh
source "$harness/bridge.sh"
close_session_at_exit
open_session
start_cluster
create_database crm_bridge
start_sandbox --oauth-limit 0 --projects-limit 0 --graph-page 2
PROJECTS_REQUESTS_PER_WINDOW=100000 PROJECTS_SWEEP_INTERVAL=1s set_up_bridge
with_bigin
with_office_directory

settle() { wait_until "$1" 60 nothing_is_on_its_way || flunk "$1" "$(query "SELECT module, state, reason, detail FROM crm_bridge.delivery")"; }
in_bigin() { as_person GET "/control/bigin/$1" | jq -c "${2:-.}"; }
in_projects() { as_person GET "/control/projects/20639270/$1" | jq -c "${2:-.}"; }
made() { as_person POST "/control/bigin/$1" "$2" | jq -r '.details.id'; }
external() { query "SELECT external_id FROM crm_bridge.$1 WHERE $2"; }

# Both were in use before: one company under one name on both sides, one only in Bigin.
in_both=$(made Accounts '{"Account_Name":"Contoso Ltd","Phone":"1"}')
made Accounts '{"Account_Name":"Bigin only"}' >/dev/null
made Contacts "{\"Last_Name\":\"Wu\",\"First_Name\":\"Lin\",\"Email\":\"lin@contoso.example\",\"Account_Name\":{\"id\":\"$in_both\"}}" >/dev/null
as_person POST /control/projects/20639270/clients '{"name":"contoso ltd","phone":"1"}' >/dev/null
made_by=$(date +%s)
start_worker worker --config "$SESSION/worker.toml" run
activate_portal
# Services tell whole seconds: what was there before is older than the second in which Bigin is switched on.
that_second_is_over() { (($(date +%s) > made_by)); }
wait_until "the next second" 5 that_second_is_over
command=$(query "SELECT crm_bridge.activate_bigin()")
query "CALL crm_bridge.wait_for_command('$command', '60 seconds')"
check_query "B11 one name on both sides is one thing" 'contoso ltd|Contoso Ltd' \
  "SELECT c.name, b.account_name FROM crm_bridge.link AS l JOIN crm_bridge.projects_client AS c ON c.id = l.left_id JOIN crm_bridge.bigin_company AS b ON b.id = l.right_id"
check_query "nothing is sent because of a first reading" 0 "SELECT count(*) FROM crm_bridge.delivery"
check_equal "D13 what was only in Bigin stays there" 1 "$(in_projects clients length)"
check_query "the people of Bigin are known" 3 "SELECT count(*) FROM crm_bridge.bigin_user"

# Both ways.
as_person PATCH "/control/bigin/Accounts/$in_both" '{"Phone":"2","Website":"https://contoso.example"}' >/dev/null
check_eventually "R133 a change in Bigin comes in" '2|https://contoso.example' "SELECT phone, website FROM crm_bridge.projects_client WHERE name = 'contoso ltd'"
settle "a change of Bigin"
check_equal "R133 and is in Projects" '["2","https://contoso.example"]' "$(in_projects clients '.[0] | [.phone, .website]')"
client=$(external projects_client "name = 'contoso ltd'")
as_person PATCH "/control/projects/20639270/clients/$client" '{"name":"Contoso"}' >/dev/null
check_eventually "R133 a change in Projects comes in" Contoso "SELECT account_name FROM crm_bridge.bigin_company WHERE external_id = '$in_both'"
settle "a change of Projects"
check_equal "R133 and is in Bigin" '"Contoso"' "$(in_bigin "Accounts/$in_both" .Account_Name)"

# New ones get their twins: made here, made in Bigin, made in Projects.
query "INSERT INTO crm_bridge.bigin_company (account_name, phone, billing_city) VALUES ('Fabrikam', '3', 'Oslo')"
settle "a company made here"
check_equal "R133 a company made here is in Bigin" '["Fabrikam","Oslo"]' "$(in_bigin Accounts '.[] | select(.Account_Name == "Fabrikam") | [.Account_Name, .Billing_City]')"
check_equal "R133 and a client in Projects" '["Fabrikam","3"]' "$(in_projects clients '.[] | select(.name == "Fabrikam") | [.name, .phone]')"
made Accounts '{"Account_Name":"Northwind"}' >/dev/null
check_eventually "R133 a company made in Bigin gets its client" Northwind "SELECT name FROM crm_bridge.projects_client WHERE name = 'Northwind'"
as_person POST /control/projects/20639270/clients '{"name":"Tailspin"}' >/dev/null
check_eventually "R133 a client made in Projects gets its company" Tailspin "SELECT account_name FROM crm_bridge.bigin_company WHERE account_name = 'Tailspin'"
settle "their twins"
check_equal "each is in Projects once" 'Contoso,Fabrikam,Northwind,Tailspin' "$(as_person GET /control/projects/20639270/clients | jq -r '[.[].name] | sort | join(",")')"
check_equal "and in Bigin once" 'Bigin only,Contoso,Fabrikam,Northwind,Tailspin' "$(as_person GET /control/bigin/Accounts | jq -r '[.[].Account_Name] | sort | join(",")')"

# People: a contact becomes a guest of the client's project.
query "SELECT crm_bridge.create_project_from_company(id, 'Network') FROM crm_bridge.bigin_company WHERE account_name = 'Contoso'" >/dev/null
settle "a project for a company"
check_eventually "R134 the contacts come along" 'Lin|Wu' "SELECT first_name, last_name FROM crm_bridge.projects_client_user WHERE email = 'lin@contoso.example' AND external_id IS NOT NULL"
network=$(external projects_project "name = 'Network'")
check_equal "R132 and are guests of it in Projects" '"lin@contoso.example"' "$(in_projects "projects/$network/clients/users" '.users[].email')"
query "UPDATE crm_bridge.projects_client_user SET last_name = 'Wu-Meyer' WHERE email = 'lin@contoso.example'"
settle "a client user's new name"
check_equal "R133 a client user's change is in Bigin" '"Wu-Meyer"' "$(in_bigin Contacts '.[] | select(.Email == "lin@contoso.example") | .Last_Name')"

# Three faces, and a worker that dies at any instant.  Answers of both services are lost after the work is done.
query "SELECT crm_bridge.map_field('account_client', f, t, 'both', true) FROM (VALUES ('account_name', 'name'), ('phone', 'phone'), ('website', 'website')) AS m (f, t)" >/dev/null
query "SELECT crm_bridge.confirm_field_mapping()" >/dev/null
as_person POST /control/faults '[{"service":"bigin","method":"POST","path_contains":"/Accounts","times":2,"kind":"drop_after"},
  {"service":"projects","method":"POST","path_contains":"/clients","times":2,"kind":"drop_after"},
  {"service":"bigin","method":"PUT","times":3,"kind":"delay","delay_ms":300}]' >/dev/null
query "INSERT INTO crm_bridge.crm_account (account_name, phone) SELECT 'Chain ' || n, 'p' FROM generate_series(1, 20) AS n"
query "SELECT count(crm_bridge._client_of_account(id, 1)) FROM crm_bridge.crm_account WHERE account_name LIKE 'Chain%'" >/dev/null
some_arrived() { [[ $(as_person GET /control/bigin/Accounts | jq '[.[] | select(.Account_Name | startswith("Chain"))] | length') -gt 0 ]]; }
wait_until "the first of them in Bigin" 60 some_arrived || flunk "the first of them in Bigin"
stop_process worker KILL
start_worker worker --config "$SESSION/worker.toml" run
settle "twenty chains after a kill"
check_equal "B3 each company is in Bigin once" '20|20' "$(as_person GET /control/bigin/Accounts | jq -r '[.[] | select(.Account_Name | startswith("Chain")) | .Account_Name] | "\(length)|\(unique | length)"')"
check_equal "B3 and each client in Projects" '20|20' "$(as_person GET /control/projects/20639270/clients | jq -r '[.[] | select(.name | startswith("Chain")) | .name] | "\(length)|\(unique | length)"')"
query "UPDATE crm_bridge.crm_account SET phone = 'from the CRM' WHERE account_name LIKE 'Chain%'"
settle "twenty accounts' changes"
check_equal "B1 the account's change is in Bigin" 20 "$(as_person GET /control/bigin/Accounts | jq '[.[] | select(.Phone == "from the CRM")] | length')"
chain=$(as_person GET /control/bigin/Accounts | jq -r '.[] | select(.Account_Name == "Chain 7") | .id')
as_person PATCH "/control/bigin/Accounts/$chain" '{"Phone":"from Bigin"}' >/dev/null
check_eventually "B1 Bigin's change reaches the account" 'from Bigin' "SELECT phone FROM crm_bridge.crm_account WHERE account_name = 'Chain 7'"
settle "Bigin's change"
check_equal "B1 and the CRM itself" '"from Bigin"' "$(as_person GET /control/crm/Accounts | jq -c '.[] | select(.Account_Name == "Chain 7") | .Phone')"
check_query "B1 all faces of all chains agree" 0 "SELECT count(*) FROM crm_bridge.crm_account AS a JOIN crm_bridge.link AS f ON f.left_id = a.id AND f.pairing = 'account_client'
  JOIN crm_bridge.projects_client AS c ON c.id = f.right_id JOIN crm_bridge.link AS s ON s.left_id = c.id JOIN crm_bridge.bigin_company AS b ON b.id = s.right_id
  WHERE (a.account_name, a.phone) IS DISTINCT FROM (c.name, c.phone) OR (c.name, c.phone) IS DISTINCT FROM (b.account_name, b.phone)"

# Deletions.
as_person DELETE "/control/bigin/Accounts/$chain" >/dev/null
check_eventually "a company deleted in Bigin is gone here" 0 "SELECT count(*) FROM crm_bridge.bigin_company WHERE external_id = '$chain'"
check_query "D2 and its client stays" 1 "SELECT count(*) FROM crm_bridge.projects_client WHERE name = 'Chain 7'"

# Off, both sides go on by themselves, and on again.
settle "the deletion"
standing() {
  printf '%s|%s|%s' "$(as_person GET /control/bigin/Accounts | jq length)" "$(as_person GET /control/projects/20639270/clients | jq length)" \
    "$(query "SELECT count(*), md5(string_agg(link_id::text, ',' ORDER BY link_id)) FROM crm_bridge.link WHERE state <> 'archived'")"
}
before=$(standing)
query "SELECT crm_bridge.deactivate_bigin()"
as_person PATCH "/control/bigin/Accounts/$in_both" '{"Website":"https://away.example"}' >/dev/null
as_person PATCH "/control/projects/20639270/clients/$client" '{"phone":"while it was off"}' >/dev/null
check_eventually "Projects goes on while Bigin is off" 'while it was off' "SELECT phone FROM crm_bridge.projects_client WHERE external_id = '$client'"
command=$(query "SELECT crm_bridge.activate_bigin()")
query "CALL crm_bridge.wait_for_command('$command', '60 seconds')"
settle "what was written while Bigin was off"
check_equal "D17 what was written on either side while Bigin was off is on both" '["while it was off","https://away.example"]|["while it was off","https://away.example"]' \
  "$(in_bigin "Accounts/$in_both" '[.Phone, .Website]')|$(in_projects clients "[.[] | select(.id == $client or .id == \"$client\")][0] | [.phone, .website]")"
check_equal "B11 no record and no link is there twice" "$before" "$(standing)"

# Imports: from Bigin, and from the directory of Office 365.
command=$(query "SELECT crm_bridge.activate_office_directory()")
query "CALL crm_bridge.wait_for_command('$command', '60 seconds')"
check_query "R142 the directory is read, over several pages" 'ilse.brandt@zylker.example
mira.holt@example.com
tomas.vega@zylker.example' "SELECT mail FROM crm_bridge.office_user ORDER BY 1"
as_person POST /control/bigin-users '{"first_name":"Olga","last_name":"Berg","email":"olga.berg@example.com"}' >/dev/null
check_eventually "a new user of Bigin is known" 1 "SELECT count(*) FROM crm_bridge.bigin_user WHERE email = 'olga.berg@example.com'"
check_query "R131, R142 people are imported" 'olga.berg@example.com|imported
mira.holt@example.com|existing
ilse.brandt@zylker.example|imported' "SELECT email, outcome FROM crm_bridge.import_project_users('bigin', '{olga.berg@example.com,mira.holt@example.com}')
  UNION ALL SELECT email, outcome FROM crm_bridge.import_project_users('office365', '{ilse.brandt@zylker.example}')"
settle "imported people"
check_equal "R33 they are in the portal, as Employee" '["ilse.brandt@zylker.example","Employee"]
["olga.berg@example.com","Employee"]' "$(in_projects users '.[] | select(.email | test("olga|ilse")) | [.email, .role.name]' | sort)"
as_person POST /control/office-users '{"displayName":"Late","mail":"late@zylker.example"}' >/dev/null
as_person DELETE /control/office-users/tomas.vega@zylker.example >/dev/null
check_eventually "the directory's changes come in" 'ilse.brandt@zylker.example,late@zylker.example,mira.holt@example.com' "SELECT string_agg(mail, ',' ORDER BY mail) FROM crm_bridge.office_user"
# The state behind the delta link is lost, and somebody was deleted while nobody could tell.
as_person POST /control/faults '{"service":"graph","path_contains":"/delta","times":1,"kind":"status","status":410}' >/dev/null
as_person DELETE /control/office-users/late@zylker.example >/dev/null
check_eventually "after a reset the whole directory shows who is gone" 'ilse.brandt@zylker.example,mira.holt@example.com' "SELECT string_agg(mail, ',' ORDER BY mail) FROM crm_bridge.office_user"

check_query "no conflict, nothing for a person" '0|0' "SELECT (SELECT count(*) FROM crm_bridge.conflict), (SELECT count(*) FROM crm_bridge.dead_letters)"
check_equal "no write of ours started a workflow in Bigin or mailed a customer" 0 "$(as_person GET /control/requests | jq '[.requests[] | select(.service == "bigin" and (.method == "POST" or .method == "PUT") and (.path | test("Accounts|Contacts")) and ((.body | fromjson? | .trigger) != []))] | length')"
printed=$("$CRM_BRIDGE_BIN" --config "$SESSION/worker.toml" doctor 2>&1 || true)
check "doctor knows Bigin" grep -qF 'ok    bigin field Accounts.Bridge_Id: there and unique' <<<"$printed"
check "and the directory" grep -qF 'ok    office365 credential: the directory answers' <<<"$printed"
stop_process worker
finish
