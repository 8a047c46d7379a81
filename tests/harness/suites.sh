# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# The suites of ./dev test.  Each writes build/logs/SUITE.log and leaves its counts in passed and failed; the file
# names that it takes can be narrowed by a pattern.

all_suites=(house unit builds pgtap isolation dump end_to_end torture)

# Seconds after which a part that hangs is ended; nothing that works comes near it.
part_limit=600

passed=0
failed=0

# One ./dev test of a checkout at a time: they share the build and its logs.
claim_tests() {
  local record=$state/testing
  claim_build
  while recorded_process_lives "$record"; do
    release_build
    say "waiting for another test run of this checkout (process $(cut -d ' ' -f 1 "$record"))"
    wait_until "the end of the other test run" 3600 recorded_process_ended "$record"
    claim_build
  done
  identify_process $$ >"$record"
  release_build
}

# Prints FOLDER's files that match GLOB and the caller's pattern, sorted.
list_tests() {
  local folder=$1 glob=$2 pattern=$3
  [[ -d $project/tests/$folder ]] || return 0
  find "$project/tests/$folder" -maxdepth 1 -name "$glob" -name "*${pattern}*" | sort
}

count_lines() { grep -cE "$1" "$2" || true; }

# Adds what a log in the form of TAP says; a script that ended badly without saying why counts as one failure.
count_results() {
  local log=$1 status=$2 good bad
  good=$(count_lines '^ok [0-9-]' "$log")
  bad=$(count_lines '^not ok [0-9-]' "$log")
  ((status == 0 || bad > 0)) || bad=1
  passed=$((passed + good))
  failed=$((failed + bad))
}

# Runs a command as one part of SUITE and counts what it prints.
run_part() {
  local suite=$1 name=$2 log status=0
  shift 2
  log=$logs/$suite.part.log
  run_step timeout --kill-after=30 "$part_limit" "$@" >"$log" 2>&1 || status=$?
  {
    printf '== %s\n' "$name"
    cat "$log"
    ((status == 0)) || printf '== %s ended with status %s\n' "$name" "$status"
  } >>"$logs/$suite.log"
  count_results "$log" "$status"
  rm -f "$log"
}

run_house() { run_part house "house rules" bash "$harness/house.sh"; }

# Adds up the first number of the lines that match.
sum_lines() { sed -nE "s/$1/\1/p" "$2" | awk '{ sum += $1 } END { print sum + 0 }'; }

# Boost.Test reports its cases; a test that is no Boost program counts as one.
run_unit() {
  local status=0 log=$logs/unit.log others
  BOOST_TEST_REPORT_LEVEL=short run_step ctest --test-dir "$build" --verbose --no-tests=error --timeout "$part_limit" \
    --parallel "$(nproc)" ${1:+-R "$1"} >"$log" 2>&1 || status=$?
  others=$(($(count_lines ' Passed +[0-9.]+ sec' "$log") - $(count_lines 'Test module ".*" has passed' "$log")))
  passed=$(($(sum_lines '.* ([0-9]+) test cases? out of [0-9]+ passed.*' "$log") + others))
  failed=$(sum_lines '.* ([0-9]+) test cases? out of [0-9]+ (failed|aborted).*' "$log")
  ((status == 0 || failed > 0)) || failed=1
}

run_builds() { run_part builds "CMake against PGXS" bash "$harness/compare_builds.sh"; }

# Each file gets a database of its own, copied from one that holds the extensions.
run_pgtap() {
  local files file name
  mapfile -t files < <(list_tests pgtap '*.sql' "$1")
  ((${#files[@]} > 0)) || return 0
  open_session
  start_cluster
  if create_database template_for_pgtap >>"$logs/pgtap.log" 2>&1; then
    query 'CREATE EXTENSION pgtap; CREATE EXTENSION plpgsql_check'
    # The server may not be able to enter the checkout: the test's own module goes where it finds the extension.
    install -m 0644 "$build/tests/boundary/crm_bridge_boundary_test.so" "$server/lib/"
    export PGDATABASE=postgres
    for file in "${files[@]}"; do
      name=$(basename "$file" .sql)
      "$server/bin/createdb" --template=template_for_pgtap "$name"
      run_part pgtap "$name" pg_prove --verbose --norc --dbname "$name" "$file"
      "$server/bin/dropdb" --force "$name"
    done
  else
    failed=1
  fi
  keep_server_log pgtap
  close_session
}

run_isolation() {
  local files names log=$logs/isolation.log output=$build/isolation status=0
  mapfile -t files < <(list_tests isolation/specs '*.spec' "$1")
  ((${#files[@]} > 0)) || return 0
  mapfile -t names < <(printf '%s\n' "${files[@]}" | sed 's|.*/||; s|\.spec$||')
  open_session
  start_cluster
  rm -rf "$output"
  mkdir -p "$output"
  # shellcheck source=tests/isolation/update.sh
  source "$project/tests/isolation/update.sh"
  if write_update_scripts && create_database isolation >>"$log" 2>&1 &&
    "$server/bin/psql" -X -q -v ON_ERROR_STOP=1 -f "$project/tests/isolation/stage.sql" >>"$log" 2>&1; then
    run_step env -C "$output" "$installed_server/lib/pgxs/src/test/isolation/pg_isolation_regress" \
      --use-existing --dbname=isolation --host="$PGHOST" --port="$PGPORT" --user="$PGUSER" --bindir="$server/bin" \
      --inputdir="$project/tests/isolation" --outputdir="$output" "${names[@]}" >>"$log" 2>&1 || status=$?
    passed=$(count_lines '^test .* ok ' "$log")
    failed=$(count_lines '^test .* FAILED ' "$log")
    [[ ! -s $output/regression.diffs ]] || cat "$output/regression.diffs" >>"$log"
  else
    status=1
  fi
  ((status == 0 || failed > 0)) || failed=1
  keep_server_log isolation
  close_session
}

run_dump() {
  [[ -x $project/tests/dump/run.sh ]] || return 0
  run_part dump "dump and restore" "$project/tests/dump/run.sh"
}

# Every test opens its own session.
run_end_to_end() {
  local files file
  mapfile -t files < <(list_tests end_to_end '*_test.sh' "$1")
  for file in "${files[@]}"; do
    run_part end_to_end "$(basename "$file" .sh)" bash "$file"
  done
  close_abandoned_sessions
}

# Those that are short enough, in one scene, reduced; ./dev torture runs all of them in full.
run_torture() {
  local names part_limit=1500
  mapfile -t names < <(list_tests torture "*.sh" "$1" | xargs -r grep -l "^torture()" | xargs -r grep -L "^reduced_rounds=0" | sed "s|.*/||; s|\\.sh\$||")
  ((${#names[@]} > 0)) || return 0
  run_part torture "tortures" "$project/tests/torture/run.sh" --reduced --seed "${TORTURE_SEED:-1}" "${names[@]}"
}

keep_server_log() { cp "$SESSION/cluster/server.log" "$logs/$1.server.log"; }

# Runs SUITE or SUITE:PATTERN and prints its line.
run_suite() {
  local suite=${1%%:*} pattern='' begin=$SECONDS
  [[ $1 != *:* ]] || pattern=${1#*:}
  passed=0
  failed=0
  : >"$logs/$suite.log"
  "run_$suite" "$pattern"
  if ((passed + failed == 0)); then
    printf '%-12s none yet\n' "$suite"
    return 0
  fi
  printf '%-12s %5d passed %5d failed %5d s\n' "$suite" "$passed" "$failed" "$((SECONDS - begin))"
  ((failed == 0)) || show_failures "$suite"
}

show_failures() {
  grep -nE '^not ok|\*\*\*Failed|^test .* FAILED|ended with status|error:|ERROR:|^#  |failed with status' "$logs/$1.log" | head -n 30 | sed 's/^/    /' || true
  printf '    the whole log: %s\n' "$logs/$1.log"
}
