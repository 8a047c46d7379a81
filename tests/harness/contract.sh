# shellcheck shell=bash
# SPDX-License-Identifier: PostgreSQL
# ./dev contract: the end-to-end tests with a validating proxy between the worker and the sandbox.  The proxy (Prism, from npm)
# holds every request and every answer of the CRM to an OpenAPI file, which the caller names: it is no part of this project.

contract_peer=@stoplight/prism-cli@5
contract_tests=(main_job crm_modules)

install_contract_proxy() {
  local folder=$state/npm_contract
  PRISM=$folder/node_modules/.bin/prism
  export PRISM
  [[ "$(cat "$folder/installed" 2>/dev/null)" != "$contract_peer" ]] || return 0
  mkdir -p "$folder"
  run_logged npm_contract npm install --prefix "$folder" --no-audit --no-fund "$contract_peer"
  printf '%s\n' "$contract_peer" >"$folder/installed"
}

# What the proxy found: one line a kind of violation, the commonest first.
list_violations() {
  cat "$1".* | sed -E 's/\x1b\[[0-9;]*m//g' | grep -F '[VALIDATOR]' | sed -E 's/^.*\[VALIDATOR\][^a-z]*//; s/[0-9]{6,}/N/g; s/\.data\.[0-9]+/.data.N/g' |
    sort | uniq -c | sort -rn || true
}

# Runs one end-to-end test under the contract in FILE.  Prism names the path of a request in a line of its own, before what it
# finds: the log is kept for whoever has to look closer.
check_contract_with() {
  local file=$1 name=$2 log=$logs/contract.$2.log status=0 requests violations
  rm -f "$log" "$log.proxy".*
  say "== $name"
  CRM_CONTRACT=$file CRM_CONTRACT_LOG=$log.proxy run_step bash "$project/tests/end_to_end/${name}_test.sh" >"$log" 2>&1 || status=$?
  grep -E '^(ok|not ok)|^#  ' "$log" | sed 's/^/    /' || true
  requests=$(cat "$log.proxy".* | grep -c 'Request received' || true)
  violations=$(list_violations "$log.proxy")
  [[ -z $violations ]] || printf 'violations of the contract:\n%s\n' "$violations"
  say "$name: ${requests:-0} requests and answers checked, $(grep -c . <<<"$violations" || true) kinds of violation; $log.proxy.*"
  ((status == 0 && requests > 0)) && [[ -z $violations ]]
}

run_contract() {
  local file='' name status=0
  [[ ${1:-} == --openapi && $# -eq 2 ]] || refuse "contract takes --openapi FILE: an OpenAPI description of Zoho CRM v8"
  file=$(realpath -e "$2" 2>/dev/null) || refuse "there is no file \"$2\""
  jq -e '.openapi and .paths' "$file" >/dev/null 2>&1 || refuse "\"$2\" is no OpenAPI description in JSON"
  local packages=("${build_packages[@]}")
  command -v npm >/dev/null || packages+=(npm)
  ensure_packages "${packages[@]}"
  claim_tests
  prepare
  install_contract_proxy
  close_abandoned_sessions
  for name in "${contract_tests[@]}"; do
    check_contract_with "$file" "$name" || status=1
  done
  close_abandoned_sessions
  return "$status"
}
