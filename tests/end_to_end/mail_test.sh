#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Mails over SMTP against a real server: with TLS and a login, in the reader's language, each once, whatever breaks (R41, R81, D10, T39).

# shellcheck source=tests/harness/session.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/../harness/session.sh"
# shellcheck source=tests/harness/bridge.sh
source "$harness/bridge.sh"
close_session_at_exit
open_session
start_cluster
create_database crm_bridge
start_sandbox --oauth-limit 0
WORKER_LEASE=2s set_up_bridge
password=s3cret-of-the-mail-server
mails=$SESSION/mail

start_mail_server() {
  rm -f "$mails/port"
  mkdir -p "$mails"
  start_process mail_server /usr/bin/python3 "$project/tests/end_to_end/mail_server.py" --folder "$mails" "$@"
  wait_until "the mail server" 20 test -s "$mails/port"
}
mail_section() {
  cat "$SESSION/worker.toml"
  printf '\n[mail]\nserver = "smtp://127.0.0.1:%s"\ntls = "%s"\nca_file = "%s"\nfrom = "bridge@zylker.example"\nfrom_name = "Zylker Brücke"\ntimeout = "10s"\n' \
    "$(cat "$mails/port")" "$1" "$SESSION/mail.crt"
}
seal_login() { printf '{"user":"bridge","password":"%s"}' "$1" | "$CRM_BRIDGE_BIN" --config "$SESSION/mail.toml" seal --service smtp --org 1 >>"$SESSION/seal.log" 2>&1; }
start_mailing() { start_worker "${1:-worker}" --config "$SESSION/mail.toml" run -v; }
# notify RECIPIENT TASK [CAUSE]
# shellcheck disable=SC2016  # inside double quotes it is expanded
notify() {
  query "SELECT crm_bridge._notify(1, '$1', 'due_date_refused', jsonb_build_object('task', '$2', 'project', 'Rollout', 'old', '2026-03-01', 'new', '2026-04-15', 'limit', '2026-03-31')
           ${3:+, cause => '$3'})"
}
state_of() { printf "SELECT concat_ws(' ', state, reason) FROM crm_bridge.notification WHERE facts ->> 'task' = '%s'" "$1"; }
# What the mail server has kept of a task: one line a mail.
kept() { cat "$mails"/mails/*.json 2>/dev/null | jq -c "select(.headers.subject | contains(\"$1\"))"; }
count_kept() { kept "$1" | wc -l; }
doctor() { "$CRM_BRIDGE_BIN" --config "$1" doctor 2>&1 | grep -A 1 "mail" || true; }

# Without a mail server --------------------------------------------------------------------------------------------

notify mira@zylker.example Waiting >/dev/null
check "without [mail] the doctor says that mails wait" grep -q 'FAIL  mail: mails are queued and nobody sends them' <(doctor "$SESSION/worker.toml")
check_query "and the mail stays queued" queued "$(state_of Waiting)"

# TLS and a login --------------------------------------------------------------------------------------------------

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=mail.test -addext subjectAltName=IP:127.0.0.1 \
  -keyout "$SESSION/mail.key" -out "$SESSION/mail.crt" 2>/dev/null
printf '%s' "$password" >"$SESSION/mail.password"
start_mail_server --certificate "$SESSION/mail.crt" --key "$SESSION/mail.key" --user bridge --password-file "$SESSION/mail.password"
mail_section required >"$SESSION/mail.toml"
seal_login wrong-one
check "a login that the server refuses is found by the doctor" grep -q 'FAIL  mail of organization 1: .*535' <(doctor "$SESSION/mail.toml")
seal_login "$password"
check "the right one is taken" grep -q 'ok    mail of organization 1: .*takes us with a login, as bridge@zylker.example' <(doctor "$SESSION/mail.toml")
sed "s|^ca_file.*||" "$SESSION/mail.toml" >"$SESSION/strange.toml"
check "a certificate that nobody vouches for is not taken" grep -q 'FAIL  mail of organization 1' <(doctor "$SESSION/strange.toml")

query "INSERT INTO crm_bridge.setting VALUES (1, 'default_locale', '\"de\"'), (1, 'mails_per_minute', '100000'), (1, 'mails_per_recipient_hour', '100000')"
start_mailing
check_eventually "R81 the mail that waited is sent" sent "$(state_of Waiting)"
mail=$(kept Waiting)
check_equal "over TLS, with the login" 'true bridge' "$(jq -r '"\(.tls) \(.user)"' <<<"$mail")"
check_equal "a mail is well-formed for another implementation" '[]' "$(jq -c .defects <<<"$mail")"
check_equal "D10 it is in the organization's language" 'Fälligkeitsdatum nicht geändert: Waiting' "$(jq -r .headers.subject <<<"$mail")"
check "R81 it names task, project, old and new value, and what to do" grep -Pzq 'Aufgabe: Waiting\nProjekt: Rollout\nBisheriges Fälligkeitsdatum: 1. März 2026\nVon Ihnen eingegeben: 15. April 2026\n(.|\n)*Bitte wählen Sie' <(jq -r .body <<<"$mail" | tr -d '\r')
check_equal "from and to" 'Zylker Brücke <bridge@zylker.example> mira@zylker.example auto-generated' "$(jq -r '"\(.headers.from) \(.headers.to) \(.headers["auto-submitted"])"' <<<"$mail")"
check_equal "its Message-ID is the notification's" "<$(query "SELECT notification_id FROM crm_bridge.notification")@zylker.example>" "$(jq -r '.headers["message-id"]' <<<"$mail")"

query "SELECT crm_bridge._notify(1, 'mira@zylker.example', 'clients_matched', '{\"matched\": 2, \"unmatched\": 1, \"proposed\": 0, \"reasons\": {\"ambiguous\": 1}, \"by\": \"ben\", \"portal\": \"Zylker\"}',
  'Kunden.csv', E'client,account,reason\n\"Größe, \"\"AG\"\"\",日本,\n.\n')" >/dev/null
check_eventually "R41 the report is sent" sent "SELECT state FROM crm_bridge.notification WHERE kind = 'clients_matched'"
check_equal "R41 with its table, byte for byte" "$(printf 'Kunden.csv text/csv client,account,reason\n"Größe, ""AG""",日本,\n.')" "$(kept 'Kunden mit' | jq -r '.attachments[] | "\(.name) \(.type) \(.text)"' | tr -d '\r')"
query "SELECT crm_bridge._notify(1, 'mira@zylker.example', 'conflict_lost', jsonb_build_object('record', E'x\r\nBcc: all@example.com\r\n\r\n' || repeat('長', 2000), 'yours', E'.\r\n.\r\nQUIT\r\n'))" >/dev/null
check_eventually "a mail about a hostile record is sent" sent "SELECT state FROM crm_bridge.notification WHERE kind = 'conflict_lost'"
check_equal "to whom it was meant for only, without another header, in short lines" '["mira@zylker.example"] null [] true' "$(kept 'Bcc' | jq -r '"\(.to) \(.headers.bcc) \(.defects) \(.longest <= 998)"')"

# What the bridge does by itself -----------------------------------------------------------------------------------

as_person POST /control/crm-users '{"first_name":"Nora","last_name":"Lind","email":"nora.lind@example.com"}' >/dev/null
activate_portal
wait_until "the new user of the CRM" 60 query_gives 1 "SELECT count(*) FROM crm_bridge.crm_user AS u JOIN crm_bridge.crm_profile AS p ON p.id = u.profile_id AND p.name = 'Standard' WHERE u.email = 'nora.lind@example.com'"
query "SELECT crm_bridge.set_profile_permission('Standard', can_view => true)" >/dev/null
check_eventually "R32 when Projects has taken the users of a profile, the administrators are told" 'mira.holt@example.com|sent' \
  "SELECT recipient, state FROM crm_bridge.notification WHERE kind = 'users_provisioned'" 60
check_equal "R32 who they are: none of those who were there before" $'["mira.holt@example.com"] []\n- nora.lind@example.com' \
  "$(kept 'profile Standard' | jq -r '"\(.to) \(.defects)", (.body | split("\n")[] | rtrimstr("\r") | select(startswith("- ")))')"
query "SELECT crm_bridge.set_edition('free'), crm_bridge.set_setting('trial_notice_days', '15')" >/dev/null
check_eventually "R2 before the end of the trial the administrators are told" 'mira.holt@example.com|sent|15' \
  "SELECT recipient, state, facts ->> 'days' FROM crm_bridge.notification WHERE kind = 'trial_ending'"
stop_process worker KILL
start_mailing
beats=$(query "SELECT max(renewed_at) FROM crm_bridge.lease")
wait_until "the next worker's heartbeats" 20 query_gives t "SELECT count(*) FILTER (WHERE renewed_at > '$beats') > 0 FROM crm_bridge.lease"
query "SELECT crm_bridge.set_edition('enterprise')" >/dev/null
check_equal "R2 once, also when the worker starts anew" '1|1' "$(query "SELECT count(*) FROM crm_bridge.notification WHERE kind = 'trial_ending'")|$(count_kept 'trial')"

# Everything that can break ----------------------------------------------------------------------------------------

# A conversation that was killed while it was held leaves its mark.
fault() {
  rm -f "$mails/holding"
  printf '%s\n' "$@" >"$mails/script"
}
for word in drop_greeting drop_mail drop_rcpt drop_data rcpt_450 data_451 mail_553; do
  stop_process worker
  fault "$word"
  notify mira@zylker.example "Once $word" >/dev/null
  start_mailing
  check_eventually "R81 $word: the mail is sent after all" sent "$(state_of "Once $word")"
  check_equal "R81 $word: exactly once" 1 "$(count_kept "Once $word")"
done
check_equal "every fault was met" 7 "$(wc -l <"$mails/faults")"
for word in drop_after drop_unkept; do
  stop_process worker
  fault "$word"
  notify mira@zylker.example "Doubt $word" >/dev/null
  start_mailing
  check_eventually "R81 $word: an answer that was lost leaves the mail in doubt" 'in_doubt answer_lost' "$(state_of "Doubt $word")"
done
notify mira@zylker.example "After the doubts" >/dev/null
check_eventually "what comes after it is sent" sent "$(state_of 'After the doubts')"
check_equal "R81 the server's mail is not doubled" '1 0' "$(count_kept 'Doubt drop_after') $(count_kept 'Doubt drop_unkept')"
query "SELECT crm_bridge.retry_notification(notification_id) FROM crm_bridge.notification WHERE facts ->> 'task' = 'Doubt drop_unkept'" >/dev/null
check_eventually "a person sends again what did not arrive" sent "$(state_of 'Doubt drop_unkept')"
for word in rcpt_550 data_554; do
  stop_process worker
  fault "$word"
  notify mira@zylker.example "Never $word" >/dev/null
  start_mailing
  check_eventually "$word: the mail is undeliverable" 1 "SELECT count(*) FROM crm_bridge.notifications WHERE state = 'undeliverable' AND detail LIKE '55_ 5._.1 %' AND needs_decision AND notification_id =
    (SELECT notification_id FROM crm_bridge.notification WHERE facts ->> 'task' = 'Never $word')"
  check_equal "$word: and did not arrive" 0 "$(count_kept "Never $word")"
done

# Killed in the middle -----------------------------------------------------------------------------------------------

for word in hold_data hold_after; do
  stop_process worker
  fault "$word"
  touch "$mails/hold"
  notify mira@zylker.example "Killed $word" >/dev/null
  start_mailing
  wait_until "the conversation to be held" 20 test -e "$mails/holding"
  stop_process worker KILL
  rm "$mails/hold"
  start_mailing
  # The lease must have lapsed before the next fault is set: this mail would meet it.
  if [[ $word == hold_data ]]; then
    check_eventually "R81 killed before the end of the mail: another worker sends it" sent "$(state_of "Killed $word")"
  else
    check_eventually "R81 killed between the end and the answer: it is in doubt" 'in_doubt worker_ended' "$(state_of "Killed $word")"
  fi
done
notify mira@zylker.example "After the kills" >/dev/null
check_eventually "what comes after it is sent" sent "$(state_of 'After the kills')"
check_equal "R81 both arrived exactly once" '1 1' "$(count_kept 'Killed hold_data') $(count_kept 'Killed hold_after')"

# A stop waits for the answer of a mail that has left.
stop_process worker
fault hold_after
touch "$mails/hold"
notify mira@zylker.example "Stopped" >/dev/null
start_mailing
wait_until "the conversation to be held" 20 test -e "$mails/holding"
kill -TERM "$(process_id worker)"
rm "$mails/hold"
wait_until "the end of the worker" 15 process_ended worker
stop_process worker
check_query "a stop awaits the answer of a mail that has left" sent "$(state_of Stopped)"

# Two workers, the server killed under them -------------------------------------------------------------------------

start_mailing worker
start_mailing second
cause=$(query "SELECT crm_bridge.new_id()")
for round in 1 2 3; do
  query "SELECT count(crm_bridge._notify(1, n || '@zylker.example', 'status_refused', jsonb_build_object('task', format('Many <%s-%s>', $round, n)))) FROM generate_series(1, 40) AS n" >/dev/null
  notify mira@zylker.example "Cause" "$cause" >/dev/null
  stop_server immediate
  start_server
done
check_eventually "three crashes of the server and two workers: all mails are settled" 0 "SELECT count(*) FROM crm_bridge.notification WHERE state IN ('queued', 'sending')" 60
check_query "none is undeliverable" 0 "SELECT count(*) FROM crm_bridge.notification WHERE state = 'undeliverable' AND facts ->> 'task' LIKE 'Many%'"
check_equal "R81 no mail came twice" "" "$(cat "$mails"/mails/*.json | jq -r '.headers["message-id"]' | sort | uniq -d)"
missing=$(comm -23 <(query "SELECT format('<%s@zylker.example>', notification_id) FROM crm_bridge.notification WHERE state = 'sent'" | sort) \
  <(cat "$mails"/mails/*.json | jq -r '.headers["message-id"]' | sort))
check_equal "R81 and what counts as sent has arrived" "" "$missing"
check_equal "R81 a cause that is processed three times brings one mail" 1 "$(count_kept 'Cause')"
stop_process second
stop_process worker

# Secrets --------------------------------------------------------------------------------------------------------------

check_equal "B16 the password is in no log and in no dump" "" "$({ cat "$SESSION"/*.log "$SESSION/cluster/server.log" "$SESSION"/*.toml; "$server/bin/pg_dump" -a; } | grep -aE "$password|$(printf '\0bridge\0%s' "$password" | base64)" || true)"

# TLS that is demanded and not offered ---------------------------------------------------------------------------------

stop_process mail_server
start_mail_server
query "DELETE FROM crm_bridge.credential WHERE service = 'smtp'"
mail_section required >"$SESSION/mail.toml"
notify mira@zylker.example Plain >/dev/null
"$CRM_BRIDGE_BIN" --config "$SESSION/mail.toml" run --once >>"$SESSION/once.log" 2>&1 && status=0 || status=$?
check_equal "a server without TLS gets no mail when TLS is demanded" '5 queued' "$status $(query "$(state_of Plain)")"
mail_section opportunistic >"$SESSION/mail.toml"
check "with tls = opportunistic it does" "$CRM_BRIDGE_BIN" --config "$SESSION/mail.toml" run --once
check_query "and run --once has sent it" sent "$(state_of Plain)"
finish
