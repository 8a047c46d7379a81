#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# BENCH_RECORDS (a million) clients matched with as many accounts, beside a plain hash join on the same stored keys.  Judged are the
# count of all reasons, the list of every unmatched record with its reason, and the run with the links of BENCH_SHARE (10) percent.

# shellcheck source=tests/bench/measure.sh
source "$(dirname "${BASH_SOURCE[0]}")/measure.sh"

print_circumstances
"$server/bin/psql" -X -q -v ON_ERROR_STOP=1 -v records="${BENCH_RECORDS:-1000000}" -v share="${BENCH_SHARE:-10}" -f "$bench/matching.sql" \
  >"$SESSION/matching.out" 2>&1 || fail "$(tail -n 5 "$SESSION/matching.out")"
while IFS='|' read -r side second; do printf '%s\n' "$second" >>"$results/${side##* }"; done < <(grep '|' "$SESSION/matching.out")

printf '\n%s records a side, %s links; seconds\n' "${BENCH_RECORDS:-1000000}" "$(cat "$results/links")"
for side in join join_alone counted listed run rematch background report; do printf '  %-12s %8.2f\n' "$side" "$(median_of "$side")"; done
judge "reasons counted / hash join" "$(ratio_of counted join)" 3 at_most
judge "every reason listed / hash join" "$(ratio_of listed join)" 3 at_most
judge "run with its links / hash join" "$(ratio_of run join)" 3 at_most
conclude
