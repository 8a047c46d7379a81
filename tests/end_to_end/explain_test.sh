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
start_sandbox
set_up_bridge
start_worker worker --config "$SESSION/worker.toml" run
activate_portal

settle() { wait_until "$1" 60 nothing_is_on_its_way || flunk "$1" "$(query "SELECT module, state, reason, detail FROM crm_bridge.delivery")"; }
requests() { as_person GET '/control/requests?limit=20000' | jq -c '[(.requests // .)[] | select(.method != "GET" and (.path | test("oauth|actions") | not))]'; }

query "INSERT INTO crm_bridge.crm_account (account_name, phone) VALUES ('Acme', '1'), ('Gone', '2')"
query "INSERT INTO crm_bridge.crm_deal (deal_name, stage, account_id) SELECT 'Routers', 'Qualification', id FROM crm_bridge.crm_account WHERE account_name = 'Acme'"
query "SELECT crm_bridge.create_project_from_deal(id) FROM crm_bridge.crm_deal" >/dev/null
settle "the scene"
before=$(requests | jq 'length')

# One transaction with all kinds of changes, and some that come to nothing.  What it lists: [module, operation, remote id, fields by the service's names].
listed=$(query "BEGIN;
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
  ROLLBACK TO SAVEPOINT tried;
  SELECT jsonb_build_array(m.api_name, c.request, COALESCE(s.external_id, ''),
           COALESCE((SELECT jsonb_object_agg(f.api_name, v.value) FROM jsonb_each(c.fields) AS v
                       JOIN crm_bridge.service_field AS f ON f.module = c.module AND f.field = v.key), '{}'))
    FROM crm_bridge.pending_changes() AS c JOIN crm_bridge.module AS m ON m.module = c.module
    LEFT JOIN crm_bridge.shadow AS s ON s.record_id = c.record_id AND c.request <> 'create';
  COMMIT" | jq -cS . | LC_ALL=C sort)
settle "the transaction"
sent=$(requests | jq -cS ".[$before:][]
  | (.path | split(\"/\")) as \$path
  | if .service == \"projects\" then [\$path[-2], (if .method == \"PATCH\" then \"update\" else .method end), \$path[-1], (.body | fromjson)]
    elif .method == \"DELETE\" then (.query | capture(\"ids=(?<ids>[0-9,]+)\").ids | split(\",\")[]) as \$id | [\$path[-1], \"delete\", \$id, {}]
    else (if .method == \"PUT\" then \"update\" else \"create\" end) as \$operation
       | (.body | fromjson).data[] | [\$path[-1], \$operation, (.id // \"\"), del(.id, .Bridge_Id)] end" | LC_ALL=C sort)
check_equal "B4 the transaction lists five requests: what it made and deleted itself, and what it rolled back, is not among them (B6)" 5 "$(wc -l <<<"$listed")"
check_equal "B4 what is listed is what is sent, record by record, field by field, value by value" "$listed" "$sent"
check_query "B4 once it is sent nothing is listed" 0 "SELECT count(*) FROM crm_bridge.pending_changes()"
finish
