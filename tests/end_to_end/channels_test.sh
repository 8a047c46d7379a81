#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Webhooks in: the channel is made, renewed, made again after a loss and caught up; strangers and bad clients get nothing (T18, T41 reduced).

# shellcheck source=tests/harness/session.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/../harness/session.sh"
# shellcheck source=tests/harness/bridge.sh
source "$harness/bridge.sh"
close_session_at_exit
open_session
start_cluster
create_database crm_bridge
start_sandbox --oauth-limit 0
# Polls are rare, so that what arrives was told or caught up.
export WORKER_POLL_INTERVAL=1h
set_up_bridge
start_worker worker --config "$SESSION/worker.toml" run
activate_portal

moved=0
let_time_pass() {
  moved=$((moved + $1))
  as_person POST /control/clock "{\"advance_seconds\": $1}" >/dev/null
  psql -X -q -c "LOAD 'crm_bridge'" -c "ALTER SYSTEM SET crm_bridge.clock_offset = $moved" -c 'SELECT pg_reload_conf()' >/dev/null
}
channel() { query "SELECT $1 FROM crm_bridge.webhook_channel WHERE service = 'zoho_crm'"; }
channel_is() { [[ $(channel "$2") == "$1" ]]; }
new_deal() { as_person POST /control/crm/Deals "{\"Deal_Name\":\"$1\",\"Stage\":\"Qualification\"}" >/dev/null; }
deals() { printf "SELECT count(*) FROM crm_bridge.crm_deal WHERE deal_name = '%s'" "$1"; }
crm_call() {
  local token
  token=$(curl -sS -d 'grant_type=refresh_token&refresh_token=1000.sandbox-refresh&client_id=1000.SANDBOXCLIENT&client_secret=sandbox-secret' \
    "$SANDBOX_ACCOUNTS/oauth/v2/token" | jq -r .access_token)
  curl -sS -X "$1" -H "Authorization: Zoho-oauthtoken $token" "$SANDBOX_CRM$2"
}

wait_until "the channel" 60 channel_is 'open|t' "state, caught_up_at >= made_at" || true
check_equal "the channel is open, for six days, and caught up" 'open|6|t' "$(channel "state, round(EXTRACT(epoch FROM expires_at - made_at) / 86400), caught_up_at >= made_at")"
check_query "where the service has no call for it, it is a person's" manual "SELECT state FROM crm_bridge.webhook_channel WHERE service = 'zoho_projects'"
new_deal 'told'
check_eventually "a notice brings the record it speaks of, long before a poll" 1 "$(deals 'told')"
check_equal "the channel shows when it was heard" t "$(channel "last_notice_at IS NOT NULL")"

# Renewed before it lapses.
made=$(channel made_at)
let_time_pass $((5 * 86400))
wait_until "the renewal" 60 channel_is t "renewed_at > made_at" || true
check_equal "after two thirds of its life it is renewed, not made" "t|$made|t" "$(channel "renewed_at > made_at, made_at, expires_at > crm_bridge._clock() + interval '5 days'")"

# Lost at the service, while something happens there.
id=$(channel channel)
as_person POST /control/webhooks '{"mode":"drop"}' >/dev/null
crm_call DELETE "/crm/v8/actions/watch?channel_ids=$id" >/dev/null
new_deal 'missed'
as_person POST /control/webhooks '{"mode":"normal"}' >/dev/null
let_time_pass 960
wait_until "the channel made again" 60 channel_is 'open|1|t' "state, losses, caught_up_at >= made_at" || true
check_equal "a channel that the service lost is noticed and made again" 'open|1|t' "$(channel "state, losses, caught_up_at >= made_at")"
check_eventually "the catch-up finds what was missed" 1 "$(deals 'missed')"
new_deal 'told again'
check_eventually "the channel that was made again tells" 1 "$(deals 'told again')"

# A poll that failed is not put off until the next one is due, here in an hour.
stop_process worker
as_person POST /control/webhooks '{"mode":"drop"}' >/dev/null
new_deal 'unheard'
as_person POST /control/webhooks '{"mode":"normal"}' >/dev/null
as_person POST /control/faults '{"service":"accounts","kind":"spoil","how":"truncated","times":2}' >/dev/null
start_worker worker --config "$SESSION/worker.toml" run
check_eventually "T15 a garbled answer instead of a token puts a poll off for seconds only" 1 "$(deals 'unheard')"
as_person DELETE /control/faults >/dev/null

# Lapsed while no worker was there.
stop_process worker
let_time_pass $((8 * 86400))
new_deal 'overslept'
start_worker worker --config "$SESSION/worker.toml" run
wait_until "the channel after a week" 60 channel_is 'open|2|t' "state, losses, caught_up_at >= made_at" || true
check_equal "one that lapsed while nobody was there is made again" 'open|2|t' "$(channel "state, losses, caught_up_at >= made_at")"
check_eventually "what happened meanwhile is found" 1 "$(deals 'overslept')"

# Strangers, and friends with bad manners.
query "SELECT crm_bridge.pause('zoho_crm', 'nobody follows up notices while they are counted')" >/dev/null
door=$(webhook_door zoho_crm)
url=${door% *} token=${door#* }
rows() { query "SELECT count(*) FROM crm_bridge.inbox"; }
told() { curl -sS -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' --data-binary @- "$1"; }
body() { printf '{"module":"Deals","ids":["%s"],"operation":"update","token":"%s","resource_uri":"http://169.254.169.254/"}' "$1" "$2"; }
before=$(rows)
statuses=$(
  for forged in "" x "${token}x" "${token%?}" "${token%?}$(tr '0-9a-f' '1-9a-f0' <<<"${token: -1}")" "$(tr 'a-f0-9' 'b-f0-9a' <<<"$token")"; do body 1 "$forged" | told "$url"; echo; done | sort -u
  body 1 "$token" | told "${url%?}"; echo
  body 1 "$token" | told "${url/organization/}/x"; echo
  body 1 "$token" | told "${url/zoho_crm\/1\//zoho_crm\/2\/}"; echo
  printf 'not json' | told "$url"; echo
  perl -e 'print "[" x 100000' | told "$url"; echo
)
check_equal "T41 forged, deep and broken notices are turned away alike" 404 "$(sort -u <<<"$statuses" | tr '\n' ' ' | xargs)"
check_equal "T41 and write nothing" "$before" "$(rows)"
check_equal "T41 a body of more than a mebibyte is refused" 413 "$(perl -e 'print "x" x 2000000' | told "$url")"
check_equal "a good notice is stored" 200 "$(body 4711 "$token" | told "$url")"
for _ in 1 2 3 4 5; do body 4711 "$token" | told "$url" >/dev/null; done
check_equal "T18 duplicates add nothing" $((before + 1)) "$(rows)"
check_query "T41 the token is not stored" 0 "SELECT count(*) FROM crm_bridge.inbox WHERE body LIKE '%$token%'"

# Friends whose words cannot be kept: an answer of 5xx would make them say it again for hours.
worker_before=$(process_id worker)
unkeepable() { printf '{"module":"Deals","ids":%s,"operation":"update","token":"%s"}' "$1" "$token" | told "$url"; echo; }
statuses=$(
  for ids in '["a\u0000b"]' '["\ud800"]' '[1e400]' "[$(printf '9%.0s' {1..100})]" '[{}]' '[[["4711"]]]' 'null' '"4711"' '[""]' "[\"$(printf 'x%.0s' {1..5000})\"]"; do
    unkeepable "$ids"
  done
  printf '{"module":"Deals","ids":["\xff\xfe"],"operation":"update","token":"%s"}' "$token" | told "$url"; echo
  printf '{"module":"De\\u0000als","ids":["1"],"operation":"\\u0000","token":"%s"}' "$token" | told "$url"; echo
  perl -e 'print qq({"module":"Deals","ids":[) . join(",", map { qq("$_") } 1 .. 50000) . qq(],"operation":"update","token":"$ARGV[0]"})' "$token" | told "$url"; echo
)
check_equal "T41 notices that cannot be kept are not asked for again" '' "$(grep -vE '^(200|400|404|413)$' <<<"$statuses" || true)"
check_equal "the worker is still the one that began" "$worker_before t" "$(process_id worker) $(process_lives worker && echo t)"
check_query "what is kept names records as the service does" 0 "SELECT count(*) FROM crm_bridge.inbox WHERE octet_length(external_id) NOT BETWEEN 1 AND 255"
check_equal "a good notice among them is stored" 200 "$(body 4713 "$token" | told "$url")"

stop_server fast
check_equal "T41 while the database is down a friend is asked to come again" 503 "$(body 1 "$token" | told "$url")"
start_server
door_opens() { [[ $(body 4712 "$token" | told "$url") == 200 ]]; }
wait_until "the database" 30 query_gives 1 "SELECT 1" || true
wait_until "the door" 30 door_opens || true
check "and is let in afterwards" door_opens
finish
