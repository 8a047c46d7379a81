#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# What capture and claim cost beside 1,000,000 records that wait to be sent, against 10,000.

# shellcheck source=tests/harness/session.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/../harness/session.sh"
bench_folder=$(dirname "$(realpath "${BASH_SOURCE[0]}")")

# Prints "kind|milliseconds" beside N waiting records.
measure_beside() {
  create_database "growth_$1"
  "$server/bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 -v n="$1" -f "$bench_folder/growth.sql"
}

small=$(measure_beside 10000)
large=$(measure_beside 1000000)
printf '  %-16s %12s %12s %8s   target ≤ 1.3\n' 'ms' '10,000' '1,000,000' 'ratio'
join -t '|' <(printf '%s\n' "$small") <(printf '%s\n' "$large") |
  awk -F '|' '{ratio = $3 / $2; printf "  %-16s %12.4f %12.4f %8.2f   %s\n", $1, $2, $3, ratio, ratio <= 1.3 ? "MET" : "MISSED"}'
