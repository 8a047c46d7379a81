# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# What all benchmarks in bash share: one measured run, medians over the rounds, the verdict.
#
# A benchmark runs its sides in turn, round after round (A B C, A B C, …), because the machine may be busy with other
# things; a ratio is the median of the rounds' own ratios, so that a slow minute hits both of its sides.

bench=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tests/harness/session.sh
source "$bench/../harness/session.sh"

rounds=${BENCH_ROUNDS:-7}
seconds=${BENCH_SECONDS:-3}
results=$SESSION/results
mkdir -p "$results"
targets_missed=0

# Prints the machine and how the server is configured: a figure without them says nothing.
print_circumstances() {
  local processor
  processor=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
  say "$(date -u +%F), $(nproc) × ${processor:-unknown processor}, load $(cut -d ' ' -f 1 /proc/loadavg); PostgreSQL $(query 'SHOW server_version' | cut -d ' ' -f 1)"
  say "$(query "SELECT string_agg(name || ' = ' || current_setting(name), ', ' ORDER BY name) FROM unnest(
    ARRAY['fsync', 'full_page_writes', 'synchronous_commit', 'autovacuum', 'shared_buffers']) AS name")"
}

# CPU ticks of all backends that have ended: the postmaster's account of its children.
ended_backends_ticks() {
  local fields
  read -ra fields <"/proc/$(server_process)/stat"
  printf '%s\n' "$((fields[15] + fields[16]))"
}

# Runs a pgbench script for some seconds as one round of SIDE and appends "tps µs" to the side's results: transactions
# a second, and CPU of the server's side of each, which other programs on the machine hardly disturb.
# measure SIDE SCRIPT CLIENTS [PGBENCH OPTIONS…]
measure() {
  local side=$1 script=$2 clients=$3 before after output
  shift 3
  before=$(ended_backends_ticks)
  output=$("$server/bin/pgbench" --no-vacuum --protocol=prepared --client="$clients" --jobs=1 --time="$seconds" \
    --file="$script" "$@" 2>&1) || fail "$output"
  # pgbench is gone before its backends have been counted.
  wait_until "the end of pgbench's sessions" 10 pgbench_left
  after=$(ended_backends_ticks)
  awk -v cpu=$((after - before)) -v ticks="$(getconf CLK_TCK)" '
    /number of transactions actually processed/ { sub(/.*: /, ""); count = $1 + 0 }
    /^tps = / { tps = $3 }
    END { if (count == 0) exit 1; printf "%.3f %.3f\n", tps, cpu / ticks * 1e6 / count }' <<<"$output" >>"$results/$side" ||
    fail "$output"
}

# compare WORKLOAD PREPARATION [PGBENCH OPTIONS…] : the scripts' sides in turn, with one client.
# PREPARATION SIDE brings a side to where a round begins.
compare() {
  local workload=$1 preparation=$2 round side
  shift 2
  for ((round = 1; round <= rounds; round++)); do
    for side in "${sides[@]}"; do
      "$preparation" "$side"
      measure "$workload.$side" "$SESSION/$workload.$side.sql" 1 "$@"
    done
  done
}

# Neither a session is left nor one that has ended and is not counted yet.
pgbench_left() {
  local server
  server=$(server_process)
  ! pgrep --parent "$server" --full 'postgres: .* \[local\]' >/dev/null && ! pgrep --parent "$server" --runstates Z >/dev/null
}

# Prints the median of the numbers on standard input.
median() { sort -g | awk '{ value[NR] = $1 } END { printf "%s\n", NR % 2 ? value[(NR + 1) / 2] : (value[NR / 2] + value[NR / 2 + 1]) / 2 }'; }

# median_of SIDE [COLUMN] : 1 is throughput (the default), 2 is CPU.
median_of() { awk -v column="${2:-1}" '{ print $column }' "$results/$1" | median; }

# Prints the median over the rounds of SIDE's figure divided by OTHER's in the same round.
ratio_of() {
  paste -d ' ' "$results/$1" "$results/$2" | awk -v column="${3:-1}" '{ print $column / $(column + NF / 2) }' | median
}

# judge WHAT FIGURE TARGET : FIGURE must reach TARGET, or with "at_most" as fourth argument stay within it.
judge() {
  local verdict relation='≥'
  [[ ${4:-at_least} == at_least ]] || relation='≤'
  verdict=$(awk -v figure="$2" -v target="$3" -v kind="${4:-at_least}" '
    BEGIN { print (kind == "at_least" ? figure >= target : figure <= target) ? "MET" : "MISSED" }')
  [[ $verdict == MET ]] || targets_missed=$((targets_missed + 1))
  printf '  %-58s %6.2f   target %s %-6s %s\n' "$1" "$2" "$relation" "$3" "$verdict"
}

# A missed target is a figure to look at, not an error.
conclude() { ((targets_missed == 0)) || say "$targets_missed target(s) missed"; }
