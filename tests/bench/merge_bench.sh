#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Map and merge of 12 fields: ours beside plain C (the program) and beside plpgsql over jsonb (merge_peer.sql).

# shellcheck source=tests/bench/measure.sh
source "$(dirname "${BASH_SOURCE[0]}")/measure.sh"

print_circumstances
ours=$("$build/tests/bench/crm_bridge_merge_bench")
printf '%s\n' "$ours"
peer=$("$server/bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 -f "$bench/merge_peer.sql")
printf '\n%7s  %10s  %10s\n' changed crm_bridge plpgsql
while IFS='|' read -r changed microseconds; do
  mine=$(awk -v changed="$changed" '$1 == changed { print $2 }' <<<"$ours")
  probe=$(awk -v changed="$changed" '$1 == changed { print $3 }' <<<"$ours")
  printf '%7s  %10s  %10s\n' "$changed" "$mine" "$microseconds"
  judge "crm_bridge / C probe, $changed changed" "$(awk -v a="$mine" -v b="$probe" 'BEGIN { print a / b }')" 2 at_most
  judge "plpgsql / crm_bridge, $changed changed" "$(awk -v a="$microseconds" -v b="$mine" 'BEGIN { print a / b }')" 10
done <<<"$peer"
conclude
