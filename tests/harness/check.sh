# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# Assertions for tests written in bash.  Each prints one line, "ok - …" or "not ok - …"; ./dev test counts these lines.

checks_failed=0

pass() { printf 'ok - %s\n' "$1"; }

# Reports a failure; further arguments are lines that explain it.
flunk() {
  printf 'not ok - %s\n' "$1"
  shift
  (($# == 0)) || printf '%s\n' "$@" | sed 's/^/#   /'
  checks_failed=$((checks_failed + 1))
}

# check DESCRIPTION COMMAND… : the command succeeds.
check() {
  local description=$1 output
  shift
  if output=$("$@" 2>&1); then pass "$description"; else flunk "$description" "command: $*" "$output"; fi
}

# check_equal DESCRIPTION EXPECTED ACTUAL : of texts with several lines, shows those that differ.
check_equal() {
  if [[ $2 == "$3" ]]; then
    pass "$1"
  elif [[ $2$3 == *$'\n'* ]]; then
    flunk "$1" "- expected, + got:" "$(diff -U 0 <(printf '%s\n' "$2") <(printf '%s\n' "$3") | grep -vE '^(-$|\+$|---|\+\+\+|@@)')"
  else
    flunk "$1" "expected: $2" "     got: $3"
  fi
}

# check_query DESCRIPTION EXPECTED SQL : psql's unaligned output, rows on lines and columns parted by "|".
check_query() {
  local output
  output=$(query "$3" 2>&1) || true
  check_equal "$1" "$2" "$output"
}

# Runs SQL in the session's database and prints the bare result.
query() { psql -X -q -A -t -v ON_ERROR_STOP=1 -c "$1"; }

query_is() { [[ $(query "$2") == "$1" ]]; }

# check_eventually DESCRIPTION EXPECTED SQL [SECONDS] : the query comes to return EXPECTED.
check_eventually() {
  local seconds=${4:-30}
  if wait_until "$1" "$seconds" query_is "$2" "$3" 2>/dev/null; then
    pass "$1"
  else
    flunk "$1" "expected within $seconds s: $2" "                   got: $(query "$3" 2>&1)"
  fi
}

# check_refused NAME SQLSTATE WORDS STATEMENT : it raises this error, with these words in message, detail or hint.
check_refused() {
  local answer state
  answer=$("${server:+$server/bin/}psql" -X -q -A -t -v VERBOSITY=verbose -c "$4" 2>&1) || true
  state=$(sed -nE 's/^ERROR: +([0-9A-Z]{5}): .*/\1/p' <<<"$answer")
  if [[ $state == "$2" ]] && grep -qF -e "$3" <<<"$answer"; then
    pass "$1"
  else
    flunk "$1" "expected: $2 with the words $3" "     got: $answer"
  fi
}

# Ends a test: fails when a check did.
finish() { exit $((checks_failed > 0)); }
