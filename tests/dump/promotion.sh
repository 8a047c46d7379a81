# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# A standby is promoted: the rows and the identity are those of the old server, which may still be at work.

standby_has_caught_up() { [[ $(query "SELECT pg_last_wal_replay_lsn() >= '$1'") == t ]]; }

server_is_promoted() { [[ $(query "SELECT pg_is_in_recovery()") == f ]]; }

# Makes a streaming standby of the session's server in another session's folder and starts it.
start_standby() {
  local folder=$1/cluster
  make_server_folder "$folder" "$folder/socket"
  as_server_user "$server/bin/pg_basebackup" --host="$SESSION/cluster/socket" --port=5432 --username=postgres \
    --pgdata="$folder/data" --checkpoint=fast --no-sync --write-recovery-conf
  printf "unix_socket_directories = '%s'\n" "$folder/socket" | as_server_user tee -a "$folder/data/postgresql.auto.conf" >/dev/null
  (SESSION=$1 && start_server)
}

check_promotion() {
  local position
  use_server "$SESSION"
  open_further_session
  check "a standby is made" start_standby "$other_session"
  position=$(query "SELECT pg_current_wal_flush_lsn()")
  use_server "$other_session"
  use_database shop
  check "the standby catches up" wait_until "the standby" 60 standby_has_caught_up "$position"
  check_contents "the standby has every row"
  check_fenced "a standby" "start_here('promoted')"
  check_refused "a standby cannot be put in charge" 55000 "Promote it first" "SELECT crm_bridge.start_here('promoted')"
  query "SELECT pg_promote(false)" >/dev/null
  check "the standby is promoted" wait_until "the promotion" 60 server_is_promoted
  check_fenced "a promoted standby" "start_here('promoted')"
  check_capture "a promoted standby before start_here" crm_bridge.history_recent
  query "UPDATE crm_bridge.crm_lead SET city = NULL WHERE org_id = 1; DELETE FROM crm_bridge.history WHERE old ? 'city'"
  check_query "a promoted standby: start_here goes on counting" 2 "SELECT crm_bridge.start_here('promoted')"
  check_query "a promoted standby: every active service is to be read first" 4 \
    "SELECT count(*) FROM crm_bridge.command WHERE kind = 'initial_sync' AND requested_at > '$dumped_at'"
  check_started "a promoted standby" promoted "$original_in_flight" "$original_deliveries"
  use_server "$SESSION"
  use_database shop
  check_query "the old server still believes itself in charge: it has to be fenced" 1 \
    "SELECT count(*) FROM crm_bridge.claim('zoho_crm', 1, crm_bridge.new_id(), org_id => 2)"
}
