#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# What comes in from a service: 10,000 records that are known already, and 10,000 new ones beside a plain upsert of the
# same documents into the same table without triggers.

# shellcheck source=tests/bench/measure.sh
source "$(dirname "${BASH_SOURCE[0]}")/measure.sh"

print_circumstances
"$server/bin/psql" -X -q -v ON_ERROR_STOP=1 -f "$bench/receive.sql" >"$SESSION/receive.out" || fail "receive.sql"
while IFS='|' read -r side second; do printf '%s 0\n' "$second" >>"$results/$side"; done < <(grep '|' "$SESSION/receive.out")

printf '\nrecords a second, 10,000 in calls of 1,000, medians of 7 rounds\n'
for side in unchanged new upsert; do printf '  %-24s %12.0f\n' "$side" "$(median_of "$side")"; done
judge "unchanged records recognised a second" "$(median_of unchanged)" 50000
judge "new records / plain upsert" "$(ratio_of new upsert)" 0.3
judge "rows written for unchanged records" "$(sed -n 's/^written: //p' "$SESSION/receive.out")" 0 at_most
conclude
